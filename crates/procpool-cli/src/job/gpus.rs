//! Divides the GPUs of an array element among its slots, so that each job sees its own devices. Pure.

/// The devices that an element was given, and how many slots share them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Gpus {
    devices: Vec<String>,
    slots: usize,
}

impl Gpus {
    /// `devices` are written as in `CUDA_VISIBLE_DEVICES`.
    pub(crate) fn new(devices: Vec<String>, slots: usize) -> Gpus {
        Gpus { devices, slots }
    }

    /// The value of `CUDA_VISIBLE_DEVICES` for a job in this slot, counted from 1; `None` without devices.
    pub(crate) fn visible(&self, slot: usize) -> Option<String> {
        (!self.devices.is_empty()).then(|| self.share(slot).join(","))
    }

    /// With at least as many slots as devices, each slot gets one device, in turn, so several slots may share
    /// it. Otherwise each slot gets devices of its own; the shares differ by one device at most.
    fn share(&self, slot: usize) -> &[String] {
        let (devices, place) = (&self.devices, slot - 1);
        if self.slots >= devices.len() {
            let device = place % devices.len();
            return &devices[device..=device];
        }
        let (each, more) = (devices.len() / self.slots, devices.len() % self.slots);
        let first = place * each + place.min(more);
        &devices[first..first + each + usize::from(place < more)]
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn gpus(count: usize, slots: usize) -> Gpus {
        Gpus::new((0..count).map(|device| format!("GPU-{device}")).collect(), slots)
    }

    #[test]
    fn each_slot_has_its_own_share_and_what_is_scarce_goes_round() {
        let shares = |count, slots| -> Vec<String> {
            let gpus = gpus(count, slots);
            (1..=slots).map(|slot| gpus.visible(slot).unwrap().replace("GPU-", "")).collect()
        };
        assert_eq!(shares(4, 4), ["0", "1", "2", "3"]);
        assert_eq!(shares(4, 2), ["0,1", "2,3"]);
        assert_eq!(shares(5, 2), ["0,1,2", "3,4"]);
        assert_eq!(shares(4, 1), ["0,1,2,3"]);
        assert_eq!(shares(2, 5), ["0", "1", "0", "1", "0"]);
        assert_eq!(gpus(0, 4).visible(1), None);
    }

    proptest! {
        #[test]
        fn no_device_is_idle_and_none_is_shared_without_need(count in 1_usize..20, slots in 1_usize..40) {
            let gpus = gpus(count, slots);
            let shares: Vec<&[String]> = (1..=slots).map(|slot| gpus.share(slot)).collect();
            let users = |device: &String| shares.iter().filter(|share| share.contains(device)).count();
            let most = slots.div_ceil(count);
            prop_assert!(gpus.devices.iter().all(|device| (1..=most).contains(&users(device))));
            let sizes: Vec<usize> = shares.iter().map(|share| share.len()).collect();
            let (least, largest) = (sizes.iter().min().unwrap(), sizes.iter().max().unwrap());
            prop_assert!(*least > 0 && largest - least <= 1);
        }
    }
}
