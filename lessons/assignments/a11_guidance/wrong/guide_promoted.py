"""You compute in float64 and return it: float32 answers stay float32."""


def guide(of_class, of_all, weight):
    return of_all + np.float64(weight) * (of_class.astype(float) - of_all)
