package pubsub

import "github.com/dragoman-im/dragoman/core/spec"

// Specs are the extensions that the package implements.
func Specs() []spec.Spec {
	return []spec.Spec{
		{Number: "0060", Title: "Publish-Subscribe", Version: "1.30.0", State: spec.Complete, Note: "Leaf nodes, at accounts and at the host's service; without collections and several subscriptions of one address."},
		{Number: "0503", Title: "Server-side spaces", Version: "0.3.0", State: spec.Complete, Note: "Spaces at the host's service, which rooms name in their description; commands to create, rename and leave them and to add rooms. Gateways show workspaces and servers of a network as spaces, which are read and not subscribed to."},
	}
}
