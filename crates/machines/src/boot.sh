# Starts a machine: run as the first process of new namespaces, with the machine's directory as argument.
set -eu
data=$1 hostname=$2 address=$3 gateway=$4

# The hierarchies of the machine it stands on: mount point, type, options. Fields of mountinfo after " - " are
# the type, the source and the options of the file system.
cgroups=$(awk '{ for (i = 1; $i != "-"; i++); type = $(i + 1); options = $(i + 3)
  sub(/^r[wo],?/, "", options); sub(/name=/, "none,name=", options); if (options == "") options = "rw"
  if (type ~ /^cgroup/ && $5 ~ /^\/sys\//) print $5, type, options }' /proc/self/mountinfo)

# What a fresh installation would have: programs and libraries of the system, and nothing else.
mount --make-rprivate /
root=$data/root
mkdir -p "$root" "$data/usr" "$data/usr-work" "$data/etc" "$data/etc-work" "$data/var"
mount -t tmpfs tmpfs "$root" -o mode=755
cd "$root"
mkdir -p usr etc var opt root home mnt media srv run proc sys dev tmp .old
ln -s usr/bin bin; ln -s usr/sbin sbin; ln -s usr/lib lib
if [ -d /usr/lib64 ]; then ln -s usr/lib64 lib64; fi
mount -t overlay overlay -o "lowerdir=/usr,upperdir=$data/usr,workdir=$data/usr-work" usr
mount -t overlay overlay -o "lowerdir=/etc,upperdir=$data/etc,workdir=$data/etc-work" etc
mount --bind "$data/var" var
if [ ! -d var/lib ]; then
  mkdir -p var/lib/dpkg var/log/journal var/cache var/tmp var/spool
  ln -s /run var/run; ln -s /run/lock var/lock
  rm -rf etc/systemd/system etc/kubernetes etc/containerd etc/cni etc/sysctl.d etc/modules-load.d usr/local
  mkdir -p etc/systemd/system usr/local/bin
fi
mount --bind -o ro /var/lib/dpkg var/lib/dpkg

mount -t proc proc proc
mount -t sysfs sysfs sys
mount -t tmpfs tmpfs sys/fs/cgroup -o mode=755
echo "$cgroups" | while read -r point type options; do
  mkdir -p ".$point"
  mount -t "$type" -o "$options" cgroup ".$point"
done
mount -t tmpfs tmpfs run -o mode=755
mkdir run/lock
mount -t tmpfs tmpfs tmp -o mode=1777
mount -t tmpfs tmpfs dev -o mode=755
for device in null zero full random urandom tty kmsg; do
  touch dev/$device; mount --bind /dev/$device dev/$device
done
mkdir dev/pts dev/shm
mount -t devpts devpts dev/pts -o newinstance,ptmxmode=0666
mount -t tmpfs tmpfs dev/shm -o mode=1777
ln -s pts/ptmx dev/ptmx; ln -s /proc/self/fd dev/fd

pivot_root . .old
umount -l /.old
hostname "$hostname"
echo "$hostname" > /etc/hostname
printf '127.0.0.1 localhost\n%s %s\n' "$address" "$hostname" > /etc/hosts
rm -f /etc/resolv.conf; echo "nameserver $gateway" > /etc/resolv.conf
rm -f /etc/machine-id; echo "$hostname" | md5sum | cut -c1-32 > /etc/machine-id
# They would write settings of the kernel that belong to the whole machine.
for unit in systemd-sysctl systemd-modules-load systemd-remount-fs console-getty; do
  ln -sf /dev/null /etc/systemd/system/$unit.service
done
export container=other
exec /lib/systemd/systemd --system --log-target=journal
