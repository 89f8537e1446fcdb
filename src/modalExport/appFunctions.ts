/** Functions of `modal_app.py` that are the same in every app, line by line. */

/** What takes the place of the module `tinycats`: on Modal no panel listens. */
export const TINYCATS_STAND_IN = lines(`
def tinycats_stand_in():
    """Stands for the module "tinycats": marks mark nothing, metrics are printed, files stay where they are."""
    module = types.ModuleType("tinycats")

    def mark(function=None, **_):
        return mark if function is None else function

    module.enter = module.train = module.container = mark
    module.log = lambda **metrics: print(json.dumps(metrics, default=str), flush=True)
    module.checkpoint = lambda path, **_: path
    module.run_dir = lambda: Path("/outputs")
    return module
`);

export const WARM_CUDA = lines(`
def warm_cuda():
    """First allocation, cuDNN and cuBLAS: the first step of a training does not wait for them."""
    import torch

    if not torch.cuda.is_available():
        print("There is no GPU in this container: it trains on its processor.")
        return
    images = torch.randn(1, 3, 32, 32, device="cuda")
    convolution = torch.nn.Conv2d(3, 16, 3).cuda()
    linear = torch.nn.Linear(16, 2).cuda()
    linear(convolution(images).mean(dim=(2, 3))).sum().backward()
    torch.cuda.synchronize()
    del images, convolution, linear
    torch.cuda.empty_cache()
`);

function lines(text: string): string[] {
  return text.trim().split('\n');
}
