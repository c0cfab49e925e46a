# Makes this machine a worker of a tenant's cluster: containerd, kubelet, kubeadm, join.
# For Debian and Ubuntu, amd64 and arm64. May be repeated: what is done already is left alone.
#
# The lines above say which cluster. More can be set in the environment:
#   FLOTILLA_MIRROR          where kubeadm and kubelet come from [https://dl.k8s.io/release]
#   FLOTILLA_KUBELET         version of the kubelet, up to three minors older [the cluster's]
#   FLOTILLA_NODE_NAME       name of the node [the host name]
#   FLOTILLA_NODE_IP         address that the node reports [the kubelet's choice]
#   FLOTILLA_NODE_LABELS     labels, key=value,key=value
#   FLOTILLA_IGNORE          kubeadm's preflight checks to pass over, comma-separated
set -eu

say() { printf '%s\n' "$*" >&2; }
fail() {
  say "error: $1"
  if [ $# -gt 1 ]; then say "  what to do: $2"; fi
  exit 1
}

mirror=${FLOTILLA_MIRROR:-https://dl.k8s.io/release}
version=${FLOTILLA_KUBELET:-$FLOTILLA_VERSION}
name=${FLOTILLA_NODE_NAME:-$(hostname | tr '[:upper:]' '[:lower:]')}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

minor() { echo "$1" | cut -d. -f2; }

check_machine() {
  [ "$(id -u)" = 0 ] || fail "this must run as root" "run it with sudo"
  [ -d /run/systemd/system ] || fail "systemd does not run here" "use a machine that was started with systemd"
  case $(uname -m) in
    x86_64) architecture=amd64 ;;
    aarch64) architecture=arm64 ;;
    *) fail "no programs are known for the architecture $(uname -m)" \
      "install containerd, kubelet and kubeadm $version by hand and run kubeadm join" ;;
  esac
  skew=$(($(minor "$FLOTILLA_VERSION") - $(minor "$version")))
  if [ "$skew" -lt 0 ]; then
    fail "kubelet $version is newer than the control plane $FLOTILLA_VERSION" \
      "take $FLOTILLA_VERSION, or upgrade the control plane first"
  elif [ "$skew" -gt 3 ]; then
    fail "kubelet $version is more than three minors older than the control plane $FLOTILLA_VERSION" \
      "take 1.$(($(minor "$FLOTILLA_VERSION") - 3)) or newer"
  fi
  if [ -n "$(tail -n +2 /proc/swaps)" ]; then
    say "note: swap is on; unless the tenant's kubelet configuration allows it, the kubelet will not start"
  fi
}

# Fetches what anybody may read of the cluster. kubeadm checks the same again, against the pin.
check_cluster() {
  fetch_info
  check_clock
  tries=0
  # The cluster signs for a new token within a moment.
  until knows_token; do
    tries=$((tries + 1))
    [ "$tries" -le 10 ] || unknown_token
    sleep 1
    fetch_info
  done
  sed -n 's/.*certificate-authority-data: \([A-Za-z0-9+/=]*\).*/\1/p' "$work/info" | head -n 1 |
    base64 -d > "$work/ca.crt" 2>/dev/null || fail "the cluster-info of $FLOTILLA_ENDPOINT has no certificate"
  if command -v openssl > /dev/null; then
    found=sha256:$(openssl x509 -pubkey -noout -in "$work/ca.crt" | openssl pkey -pubin -outform DER |
      openssl dgst -sha256 | sed 's/.* //')
    [ "$found" = "$FLOTILLA_CA_CERT_HASH" ] ||
      fail "the API server at $FLOTILLA_ENDPOINT is not the one that was promised: its authority is $found" \
        "if the tenant's authority was renewed, make a new command with: flotilla join-command; otherwise somebody is in between"
  fi
}

knows_token() { grep -q "jws-kubeconfig-${FLOTILLA_TOKEN%%.*}" "$work/info"; }

unknown_token() {
  fail "the cluster does not know the token ${FLOTILLA_TOKEN%%.*}: it has expired, is used up, or was revoked" \
    "make another with: flotilla join-command"
}

fetch_info() {
  curl --silent --show-error --insecure --max-time 15 --dump-header "$work/headers" --output "$work/info" \
    "https://$FLOTILLA_ENDPOINT/api/v1/namespaces/kube-public/configmaps/cluster-info" ||
    fail "the API server at $FLOTILLA_ENDPOINT cannot be reached from here" \
      "allow outgoing TCP connections from this machine to $FLOTILLA_ENDPOINT, then run this again"
}

check_clock() {
  there=$(sed -n 's/^[Dd]ate: *\(.*\)\r$/\1/p' "$work/headers" | head -n 1)
  [ -n "$there" ] || return 0
  difference=$(($(date +%s) - $(date -d "$there" +%s)))
  if [ "${difference#-}" -gt 120 ]; then
    fail "this machine's clock differs from the cluster's by $difference s; certificates and tokens would not hold" \
      "set the clock, for instance with: apt-get install chrony"
  fi
}

is_joined() {
  [ -s /etc/kubernetes/kubelet.conf ] || return 1
  grep -q "https://$FLOTILLA_ENDPOINT\$" /etc/kubernetes/kubelet.conf ||
    fail "this machine belongs to another cluster: $(sed -n 's/ *server: //p' /etc/kubernetes/kubelet.conf)" \
      "remove its node there, run: kubeadm reset, then run this again"
}

prepare_kernel() {
  mkdir -p /etc/modules-load.d /etc/sysctl.d
  printf 'overlay\nbr_netfilter\n' > /etc/modules-load.d/flotilla.conf
  printf 'net.ipv4.ip_forward = 1\nnet.bridge.bridge-nf-call-iptables = 1\n' > /etc/sysctl.d/90-flotilla.conf
  for module in overlay br_netfilter; do
    modprobe "$module" 2> /dev/null || say "note: the kernel module $module cannot be loaded"
  done
  echo 1 > /proc/sys/net/ipv4/ip_forward
  if [ -e /proc/sys/net/bridge/bridge-nf-call-iptables ]; then
    echo 1 > /proc/sys/net/bridge/bridge-nf-call-iptables
  fi
}

install_packages() {
  lacking=
  for pair in containerd:containerd runc:runc iptables:iptables; do
    command -v "${pair%%:*}" > /dev/null || lacking="$lacking ${pair#*:}"
  done
  cni_directory > /dev/null || lacking="$lacking containernetworking-plugins"
  if [ -n "$lacking" ]; then
    command -v apt-get > /dev/null || fail "this needs$lacking, and there is no apt-get" "install them, then run this again"
    say "installing$lacking"
    export DEBIAN_FRONTEND=noninteractive
    # shellcheck disable=SC2086
    { apt-get update -qq && apt-get install -y -qq --no-install-recommends $lacking; } > "$work/apt" 2>&1 ||
      fail "apt-get could not install$lacking: $(tail -n 3 "$work/apt")" "install them, then run this again"
  fi
}

cni_directory() {
  for directory in /opt/cni/bin /usr/lib/cni; do
    if [ -x $directory/loopback ]; then echo $directory; return; fi
  done
  return 1
}

# Network plugins of tenants put their programs into /opt/cni/bin; the basic ones must be there too.
configure_containerd() {
  mkdir -p /opt/cni/bin /etc/cni/net.d /etc/containerd
  for plugin in "$(cni_directory)"/*; do
    [ -e "/opt/cni/bin/${plugin##*/}" ] || ln -s "$plugin" /opt/cni/bin/
  done
  marker='# Written by Flotilla for a worker; delete this line to keep your changes.'
  if [ ! -s /etc/containerd/config.toml ] || ! grep -q SystemdCgroup /etc/containerd/config.toml ||
    grep -qF "$marker" /etc/containerd/config.toml; then
    if [ -s /etc/containerd/config.toml ] && ! grep -qF "$marker" /etc/containerd/config.toml; then
      cp /etc/containerd/config.toml /etc/containerd/config.toml.before-flotilla
    fi
    driver=$(cgroup_driver)
    {
      echo "$marker"
      # In a container, scores of the out-of-memory killer cannot be lowered.
      containerd config default | sed \
        -e "s/SystemdCgroup = .*/SystemdCgroup = $([ "$driver" = systemd ] && echo true || echo false)/" \
        -e 's#bin_dir = .*#bin_dir = "/opt/cni/bin"#' \
        -e "s#sandbox_image = .*#sandbox_image = \"$(sandbox_image)\"#" \
        -e "s/restrict_oom_score_adj = .*/restrict_oom_score_adj = $(lacks_resource_capability && echo true || echo false)/"
    } > /etc/containerd/config.toml.new
    if ! cmp -s /etc/containerd/config.toml.new /etc/containerd/config.toml; then
      mv /etc/containerd/config.toml.new /etc/containerd/config.toml
      systemctl restart containerd
    fi
    rm -f /etc/containerd/config.toml.new
  fi
  systemctl enable --quiet --now containerd
}

# The one that kubeadm checks for, so that only one is needed.
sandbox_image() {
  kubeadm config images list --kubernetes-version "$version" 2> /dev/null | grep /pause: || echo registry.k8s.io/pause:3.10
}

# CAP_SYS_RESOURCE is the 25th bit.
lacks_resource_capability() {
  bounds=$(sed -n 's/^CapBnd:[[:space:]]*//p' /proc/self/status)
  [ $((0x$bounds >> 24 & 1)) = 0 ]
}

# What the tenant's kubelets use; the token may read that.
cgroup_driver() {
  printf 'Authorization: Bearer %s' "$FLOTILLA_TOKEN" > "$work/authorization"
  curl --silent --cacert "$work/ca.crt" --max-time 15 --header "@$work/authorization" \
    "https://$FLOTILLA_ENDPOINT/api/v1/namespaces/kube-system/configmaps/kubelet-config" > "$work/kubelet" || true
  grep -o 'cgroupDriver[^a-z]*[a-z]*' "$work/kubelet" | grep -o '[a-z]*$' | head -n 1 | grep . || echo systemd
}

install_programs() {
  for program in kubeadm kubelet; do
    found=$(installed_version "$program")
    if [ "$found" = "$version" ]; then continue; fi
    if [ -n "$found" ] && [ -e /lib/systemd/system/kubelet.service ]; then
      fail "a package has installed $program $found, but $version is needed" \
        "install $version with apt-get, or remove the package"
    fi
    say "fetching $program $version"
    place=$mirror/$version/bin/linux/$architecture/$program
    curl --silent --show-error --fail --location --output "$work/$program" "$place" ||
      fail "$place cannot be fetched" "set FLOTILLA_MIRROR to a place that has it, or install $program $version yourself"
    curl --silent --show-error --fail --location --output "$work/$program.sha256" "$place.sha256" ||
      fail "$place.sha256 cannot be fetched" "set FLOTILLA_MIRROR to a place that has it"
    echo "$(cut -c1-64 "$work/$program.sha256")  $work/$program" | sha256sum --check --status ||
      fail "$place does not match its checksum" "run this again; if it stays so, the mirror is broken"
    install -m 755 "$work/$program" "/usr/local/bin/$program"
  done
}

installed_version() {
  command -v "$1" > /dev/null || return 0
  case $1 in
    kubeadm) kubeadm version -o short 2> /dev/null || true ;;
    *) "$1" --version 2> /dev/null | sed 's/.* //' || true ;;
  esac
}

# As in the project's own packages, which are left alone where they are installed.
install_unit() {
  if [ -e /lib/systemd/system/kubelet.service ]; then systemctl enable --quiet kubelet; return; fi
  mkdir -p /etc/systemd/system/kubelet.service.d
  cat > /etc/systemd/system/kubelet.service <<'UNIT'
[Unit]
Description=kubelet: The Kubernetes Node Agent
Documentation=https://kubernetes.io/docs/
Wants=network-online.target
After=network-online.target containerd.service

[Service]
ExecStart=/usr/local/bin/kubelet
Restart=always
StartLimitInterval=0
RestartSec=10

[Install]
WantedBy=multi-user.target
UNIT
  cat > /etc/systemd/system/kubelet.service.d/10-kubeadm.conf <<'UNIT'
[Service]
Environment="KUBELET_KUBECONFIG_ARGS=--bootstrap-kubeconfig=/etc/kubernetes/bootstrap-kubelet.conf --kubeconfig=/etc/kubernetes/kubelet.conf"
Environment="KUBELET_CONFIG_ARGS=--config=/var/lib/kubelet/config.yaml"
EnvironmentFile=-/var/lib/kubelet/kubeadm-flags.env
EnvironmentFile=-/etc/default/kubelet
ExecStart=
ExecStart=/usr/local/bin/kubelet $KUBELET_KUBECONFIG_ARGS $KUBELET_CONFIG_ARGS $KUBELET_KUBEADM_ARGS $KUBELET_EXTRA_ARGS
UNIT
  systemctl daemon-reload
  systemctl enable --quiet kubelet
}

# The token goes to kubeadm in a file, not in an argument that every user of the machine sees.
join() {
  {
    cat <<CONFIGURATION
apiVersion: kubeadm.k8s.io/v1beta4
kind: JoinConfiguration
timeouts:
  discovery: 1m0s
discovery:
  bootstrapToken:
    apiServerEndpoint: $FLOTILLA_ENDPOINT
    token: $FLOTILLA_TOKEN
    caCertHashes: ["$FLOTILLA_CA_CERT_HASH"]
nodeRegistration:
  name: $name
  criSocket: unix:///run/containerd/containerd.sock
  ignorePreflightErrors: [$(echo "${FLOTILLA_IGNORE:-}" | sed 's/[^,][^,]*/"&"/g')]
  kubeletExtraArgs:
  - {name: v, value: "1"}
CONFIGURATION
    if [ -n "${FLOTILLA_NODE_IP:-}" ]; then echo "  - {name: node-ip, value: \"$FLOTILLA_NODE_IP\"}"; fi
    if [ -n "${FLOTILLA_NODE_LABELS:-}" ]; then echo "  - {name: node-labels, value: \"$FLOTILLA_NODE_LABELS\"}"; fi
  } > "$work/join.yaml"
  say "joining $FLOTILLA_ENDPOINT as $name"
  kubeadm join --config "$work/join.yaml" > "$work/join.log" 2>&1 &
  pid=$!
  # kubeadm would wait five minutes for a certificate that has been refused.
  while kill -0 "$pid" 2> /dev/null; do
    refusal=$(kubelet_log | grep -o 'certificate signing request.* is denied.*' | tail -n 1)
    if [ -n "$refusal" ]; then
      kill "$pid" 2> /dev/null || true
      systemctl stop kubelet
      fail "the cluster refused this machine: $refusal" "run: kubeadm reset --force, then join with a new token: flotilla join-command"
    fi
    sleep 1
  done
  if ! wait "$pid"; then
    cat "$work/join.log" >&2
    fetch_info
    knows_token || unknown_token
    kubelet_log | grep -E 'is forbidden|failed to run Kubelet' | tail -n 3 >&2 || true
    fail "kubeadm could not join $FLOTILLA_ENDPOINT; its output is above" \
      "mend what it names, run: kubeadm reset --force, then run this again"
  fi
}

kubelet_log() {
  journalctl --unit kubelet --since "@$started" --no-pager --output cat 2> /dev/null || true
}

started=$(date +%s)
check_machine
if is_joined; then
  say "this machine is a worker of $FLOTILLA_ENDPOINT already"
  exit 0
fi
command -v curl > /dev/null || { apt-get update -qq && apt-get install -y -qq curl ca-certificates; } > /dev/null 2>&1 ||
  fail "curl is not installed" "install it, then run this again"
check_cluster
prepare_kernel
install_packages
install_programs
configure_containerd
install_unit
join
say "$name has joined $FLOTILLA_ENDPOINT"
