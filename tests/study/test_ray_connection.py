"""Which cluster a study joins, and what is said where there is none."""

from typing import Any

import pytest

from maxsup.study._ray import connection


class Ray:
    """In place of Ray: answers ``init`` with errors or not."""

    def __init__(self, *, connected: bool = False, **answers: Exception) -> None:
        self.connected, self.answers = connected, answers
        self.asked: list[str] = []

    def is_initialized(self) -> bool:
        return self.connected

    def init(self, address: str, **options: Any) -> None:
        self.asked.append(address)
        if address in self.answers:
            raise self.answers[address]

    def shutdown(self) -> None:
        self.asked.append("shutdown")


def connect(ray: Ray) -> list[str]:
    said: list[str] = []
    with connection(ray, said.append):
        pass
    return said


@pytest.fixture(autouse=True)
def _no_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RAY_ADDRESS", raising=False)


def test_cluster_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    ray = Ray(auto=ConnectionError("none"))
    assert connect(ray) == ["Ray: started on this machine for as long as the study takes"]
    assert ray.asked == ["auto", "local", "shutdown"]
    assert connect(ray := Ray()) == [
        "Ray: the cluster that was running on this machine already; ray stop would end it"
    ]
    assert ray.asked == ["auto", "shutdown"]
    assert connect(ray := Ray(connected=True)) == [
        "Ray: the cluster that this process is connected to"
    ]
    assert ray.asked == []
    monkeypatch.setenv("RAY_ADDRESS", "10.0.0.1:6379")
    assert connect(Ray()) == ["Ray: the cluster at 10.0.0.1:6379, which RAY_ADDRESS names"]


def test_cluster_that_cannot_be_had_is_said_with_what_to_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for ray in (
        Ray(auto=ConnectionError("none"), local=RuntimeError("no ports\nleft")),
        Ray(auto=ValueError("no ports")),
    ):
        with pytest.raises(
            ConnectionError, match=r"Ray could not be started on this machine .*no p"
        ):
            connect(ray)
        assert "local" not in ray.asked[2:]
    monkeypatch.setenv("RAY_ADDRESS", "nowhere:1")
    for error in (ConnectionError("refused"), ValueError("bad address")):
        with pytest.raises(ConnectionError, match="reached at nowhere:1, which RAY_ADDRESS names"):
            connect(ray := Ray(auto=error))
    assert ray.asked == ["auto"]
