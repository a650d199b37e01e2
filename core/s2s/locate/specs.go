package locate

import "github.com/dragoman-im/dragoman/core/spec"

// Specs are the extensions that the package implements.
func Specs() []spec.Spec {
	return []spec.Spec{
		{Number: "0487", Title: "Host Meta 2 - One Method To Rule Them All", Version: "0.1.0", State: spec.Partial, Note: "Reads where other servers are by TLS, and publishes where clients and other servers reach this one by TLS and WebSocket (web.addresses); no public keys are published, no QUIC and no ECH."},
	}
}
