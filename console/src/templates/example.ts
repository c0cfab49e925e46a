// A template to begin with.

export const example = `name: small
spec:
  displayName: Small cluster
  description: For one team.
  # tenant: acme          # the platform's without it
  shareDown: true         # for tenants below, too
  versions:
    - version: "1.0"
      parameters:
        - name: version
          displayName: Version of Kubernetes
          type: version
          choices: [v1.36.3]
          default: v1.36.3
        - name: replicas
          description: Pods of the control plane
          type: integer
          minimum: 1
          maximum: 3
          default: 2
      controlPlane:
        kubernetes:
          version: \${version}
        controlPlane:
          deployment:
            replicas: \${replicas}
`;
