package channelsearch

import "github.com/dragoman-im/dragoman/core/spec"

// Specs are the extensions that the package implements.
func Specs() []spec.Spec {
	return []spec.Spec{
		{Number: "0433", Title: "Extended Channel Search", Version: "0.1.0", State: spec.Complete, Note: "Rooms of the server, and of gateways those that an account sees. All sort keys, also the whole list."},
	}
}
