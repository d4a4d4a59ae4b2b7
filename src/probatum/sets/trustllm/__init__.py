"""TrustLLM (P001): the sets of its six measured dimensions, as its ``dataset.zip`` holds them."""

from probatum.sets import Source

TRUSTLLM = Source(
    name="TrustLLM",
    paper="P001 arXiv:2401.05561",
    license="MIT; parts keep their own (XSTest CC BY 4.0, ETHICS MIT …)",
    url="https://github.com/HowieHwong/TrustLLM/blob/4b864211f32602fddb8cafc8d5154bed1e0ce01e/dataset/dataset.zip",
    archive="dataset.zip",
    digests={
        "dataset.zip": (  # as published; and without its part of addresses of real people
            "0433f79bc8dc8a5869af253d4a70067eda82f5651b89b7235a0220a8bf775317",
            "08d0c7d7f3898545fcefd8e022b2a7a841c426ba6df73ca068496d76f7d44cb4",
        )
    },
)
