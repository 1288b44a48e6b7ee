"""The job mix that has the ramps of a day of Frontier: runs of nearly the whole machine, and small jobs."""

from datacenters.batch import JobClass

LARGE = JobClass(
    arrivals_per_h=0.7,
    size_median_gpu=37_000,
    size_sigma_pu=0.05,
    duration_median_h=0.6,
    duration_sigma_pu=0.8,
    duration_most_h=4,
    busy_pu=0.99,
    rise_s=222,
    rise_sigma_pu=0.33,
    declines_pu=0.4,
    decline_pu=0.4,
)
SMALL = JobClass(
    arrivals_per_h=4,
    size_median_gpu=1500,
    duration_median_h=0.25,
    duration_sigma_pu=0.8,
    duration_most_h=0.75,
    busy_pu=0.5,
)
