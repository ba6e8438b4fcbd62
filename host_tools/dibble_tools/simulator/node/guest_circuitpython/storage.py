"""Inside the VM: who may write the drive."""

import vfs

device = None  # under the drive


def remount(mount_path, readonly=False, *, disable_concurrent_write_protection=False):
    vfs.umount(mount_path)
    vfs.mount(vfs.VfsFat(device), mount_path, readonly=readonly)
