"""From the tensors of published files to ours: one pure function `convert` per published system.

A recipe is a module with

    def convert(files: Mapping[str, State]) -> Converted

files: the tensors of each weights file, by its official name as in models/known.py, in the order
    there. What torch.load gave is unwrapped already ('state_dict' of a training checkpoint); a
    prefix such as 'module.' is not.
Converted: what is written into the model's folder. `state` becomes model.safetensors, each of
    `extra_files` a file of that name (config.json, ...). Vocabulary and configuration files that
    the source has anyway are listed in models/known.py and copied; no recipe sees them.
A recipe raises WeightsError in one line for a key that lacks, is too many or has another shape:
`base.strict` does that. It reads nothing, writes nothing and knows no space: towers test
themselves through it, the model manager runs it in a process of its own.
"""
