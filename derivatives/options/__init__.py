"""Options on computing power: kernels on arrays, vectorised over contracts."""
