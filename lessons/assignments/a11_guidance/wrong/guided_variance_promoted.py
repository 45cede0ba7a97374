"""You return float64 whatever came in: float32 variances stay float32."""


def guided_variance(of_class, of_all, weight, first):
    of_class, of_all = of_class.astype(float), of_all.astype(float)
    end = of_class**weight * of_all ** (1 - weight)
    return first**2 * end / ((of_class + first**2) ** weight * (of_all + first**2) ** (1 - weight))
