"""What other libraries' training loops need beside a criterion; each module loads one library."""
