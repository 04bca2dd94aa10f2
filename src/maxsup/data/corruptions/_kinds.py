"""The names of the corruptions; it needs nothing to be imported."""

COMMON = (
    "gaussian_noise",
    "shot_noise",
    "impulse_noise",
    "defocus_blur",
    "glass_blur",
    "motion_blur",
    "zoom_blur",
    "snow",
    "frost",
    "fog",
    "brightness",
    "contrast",
    "elastic",
    "pixelate",
    "jpeg",
)
"""The fifteen that a mean corruption error is of."""
EXTRA = ("speckle_noise", "gaussian_blur", "spatter", "saturate")
"""Four more, which were published for choosing settings on."""
KINDS = COMMON + EXTRA
SEVERITIES = (1, 2, 3, 4, 5)


def check_kind(name: str, kind: str) -> None:
    """See that a corruption is one that there is.

    Args:
        name: The argument or option that names it.
        kind: What it names.

    Raises:
        ValueError: There is none of that name.

    >>> check_kind("kind", "rain")
    Traceback (most recent call last):
    ValueError: kind: no corruption is called 'rain'; there are gaussian_noise, shot_noise, \
impulse_noise, defocus_blur, glass_blur, motion_blur, zoom_blur, snow, frost, fog, brightness, \
contrast, elastic, pixelate, jpeg, speckle_noise, gaussian_blur, spatter, saturate.
    """
    if kind not in KINDS:
        raise ValueError(f"{name}: no corruption is called {kind!r}; there are {', '.join(KINDS)}.")
