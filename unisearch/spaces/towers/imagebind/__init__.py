"""ImageBind: its vision, text and audio towers, which share one space of 1,024 dimensions.

Facts: "ImageBind: One Embedding Space To Bind Them All" (CVPR 2023) and its released code,
facebookresearch/ImageBind; written anew from those.
"""
