"""You take a softmax for each training picture and average the answers: there is one softmax over the windows of all
pictures."""


def els_circular(x, images, alpha, sigma, window):
    own, answers = windows(x, window, "circular"), []
    for image in images:
        patches = windows(image[None], window, "circular").reshape(-1, own.shape[-1])
        squares = ((own[..., None, :] - alpha * patches) ** 2).sum(axis=-1)
        answers.append(softmax_mean(-squares / (2 * sigma**2), image.reshape(-1, image.shape[-1])))
    return np.mean(answers, axis=0)
