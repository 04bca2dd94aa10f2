"""A training script that knows nothing of maxsup: timm's data, models and losses, and numpy.

maxsup compare --script 'python timm_script.py path/to/images --loss {method} --seed {seed}
--out {out}' --methods baseline label-smoothing maxsup --seeds 5
"""

import argparse

import numpy as np
import timm
import torch
from timm.data import create_dataset, create_transform
from timm.loss import LabelSmoothingCrossEntropy
from torch.utils.data import DataLoader

parser = argparse.ArgumentParser()
parser.add_argument("data", help="a folder with train/CLASS/ and validation/CLASS/")
parser.add_argument("--loss", choices=("baseline", "label-smoothing", "maxsup"))
parser.add_argument("--seed", type=int)
parser.add_argument("--out", help="the .npz file to write")
parser.add_argument("--model", default="resnet18")
parser.add_argument("--size", type=int, default=224)
parser.add_argument("--epochs", type=int, default=10)
args = parser.parse_args()

torch.manual_seed(args.seed)
transforms = [create_transform(args.size, is_training=t) for t in (True, False)]
train_set, test_set = (
    create_dataset("", args.data, split=split, transform=transform)
    for split, transform in zip(("train", "validation"), transforms, strict=True)
)
losses = {
    "baseline": torch.nn.functional.cross_entropy,
    "label-smoothing": LabelSmoothingCrossEntropy(0.1),
    "maxsup": lambda z, y: (
        timm.loss.LabelSmoothingCrossEntropy(0)(z, y) + 0.1 * (z.amax(1) - z.mean(1)).mean()
    ),
}
model = timm.create_model(args.model, num_classes=len(train_set.reader.class_to_idx))
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)

accuracies = []
for _ in range(args.epochs):
    model.train()
    for images, labels in DataLoader(train_set, batch_size=32, shuffle=True, drop_last=True):
        optimizer.zero_grad()
        losses[args.loss](model(images), labels).backward()
        optimizer.step()
    model.eval()
    with torch.inference_mode():
        outputs = [(model(images), labels) for images, labels in DataLoader(test_set, 32)]
    logits, labels = (torch.cat(each).numpy() for each in zip(*outputs, strict=True))
    accuracies.append((logits.argmax(1) == labels).mean())

np.savez(args.out, logits=logits, labels=labels, history_test_accuracy=accuracies)
