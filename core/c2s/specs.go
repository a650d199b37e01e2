package c2s

import "github.com/dragoman-im/dragoman/core/spec"

// Specs are the extensions that the package implements.
func Specs() []spec.Spec {
	return []spec.Spec{
		{Number: "0305", Title: "XMPP Quickstart", Version: "0.3", State: spec.Complete, Note: "Server. Within TLS."},
		{Number: "0198", Title: "Stream Management", Version: "1.6.3", State: spec.Complete, Note: "Server. Sessions of clients can be resumed after a restart of the server too; streams between servers, for one pair of domains, not."},
		{Number: "0352", Title: "Client State Indication", Version: "1.0.0", State: spec.Complete, Note: "Server."},
		{Number: "0178", Title: "Best Practices for Use of SASL EXTERNAL with Certificates", Version: "1.2", State: spec.Complete, Note: "Clients, and other servers."},
		{Number: "0368", Title: "SRV records for XMPP over TLS", Version: "1.1.0", State: spec.Complete, Note: "Server. For clients and other servers."},
		{Number: "0386", Title: "Bind 2", Version: "1.1.0", State: spec.Partial, Note: "Server. Stored messages that the archive has given are not sent again; the others are."},
		{Number: "0478", Title: "Stream Limits Advertisement", Version: "0.2.0", State: spec.Complete, Note: "Server."},
		{Number: "0509", Title: "Initial Authentication Pipelining", Version: "0.2.0", State: spec.Complete, Note: "Server."},
	}
}
