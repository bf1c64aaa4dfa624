"""GPU classes and regions by our names, from the names that sources give them."""

import polars as pl

GPU_CLASSES = {
    "a100-pcie": "a100-pcie",
    "a100-80gb-pcie": "a100-pcie",
    "a100-pcie-80gb": "a100-pcie",
    "a100-80gb-sxm4": "a100-sxm",
    "a100-sxm-80gb": "a100-sxm",
    "a100-sxm4": "a100-sxm",
    "b200": "b200-sxm",
    "b200-180gb": "b200-sxm",
    "b300": "b300-sxm",
    "gb200": "gb200-nvl72",
    "gh200-96gb": "gh200",
    "h100-80gb-pcie": "h100-pcie",
    "h100-80gb-sxm5": "h100-sxm",
    "h200": "h200-sxm",
    "h200-141gb": "h200-sxm",
    "tesla-v100": "v100",
}
NO_PLACE = ["global", "any", "secure", "community", ""]  # the last two are RunPod's qualities of service


def gpu_class(column: str) -> pl.Expr:
    """Our name of a GPU class: lower case, hyphens, and one name for what sources call differently.

    A name that is not in `GPU_CLASSES` is only rewritten, so that a new chip enters by itself. A bare H200 or B200 is the SXM part, a bare
    A100 form factor its 80 GB version; 40 GB parts keep their size in the name.

    >>> pl.DataFrame({"gpu": ["H100_80GB_SXM5", "H200", "RTX_4090"]}).select(gpu_class("gpu")).to_series().to_list()
    ['h100-sxm', 'h200-sxm', 'rtx-4090']
    """
    return pl.col(column).str.to_lowercase().str.replace_all(r"[\s_]+", "-").replace(GPU_CLASSES)


def region(column: str) -> pl.Expr:
    """Our name of a region: a code in lower case, null where the source names no place.

    >>> pl.DataFrame({"where": ["US", "global", None]}).select(region("where")).to_series().to_list()
    ['us', None, None]
    """
    lower = pl.col(column).str.strip_chars().str.to_lowercase()
    return pl.when(~lower.is_in(NO_PLACE)).then(lower)
