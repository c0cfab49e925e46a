// The pins live in versions/<minor>.mod, one file per supported Kubernetes minor version;
// this file only marks the module's root. Build with: go build -modfile=versions/1.36.mod .
module github.com/flotilla-dev/flotilla/kubernetes

go 1.26.0
