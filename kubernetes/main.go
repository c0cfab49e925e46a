// Program flotilla-kubernetes is upstream Kubernetes and etcd as one multi-call binary.
//
// It runs the component named by the file name it was started under (a symbolic link per
// component) or, started under another name, by its first argument. One file for all components
// means one image layer and one set of shared program pages however many control planes run.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"
)

// components maps a program name to its entry point. An entry point reads os.Args, whose first
// element is the program name, and returns the exit code.
var components = map[string]func() int{
	"etcd":                    etcd,
	"etcdutl":                 etcdUtility,
	"kube-apiserver":          apiServer,
	"kube-controller-manager": controllerManager,
	"kube-proxy":              proxy,
	"kube-scheduler":          scheduler,
	"kubeadm":                 adm,
	"kubectl":                 ctl,
	"kubelet":                 kubelet,
}

func main() {
	name := filepath.Base(os.Args[0])
	if run, ok := components[name]; ok {
		os.Exit(run())
	}
	if len(os.Args) > 1 {
		if run, ok := components[os.Args[1]]; ok {
			os.Args = os.Args[1:]
			os.Exit(run())
		}
	}
	names := make([]string, 0, len(components))
	for name := range components {
		names = append(names, name)
	}
	sort.Strings(names)
	fmt.Fprintf(os.Stderr, "usage: %s COMPONENT [ARGUMENT...]\ncomponents: %s\n", name, strings.Join(names, ", "))
	os.Exit(2)
}
