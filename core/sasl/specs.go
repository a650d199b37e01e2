package sasl

import "github.com/dragoman-im/dragoman/core/spec"

// Specs are the extensions that the package implements.
func Specs() []spec.Spec {
	return []spec.Spec{
		{Number: "0388", Title: "Extensible SASL Profile", Version: "1.0.4", State: spec.Complete, Note: "Server."},
		{Number: "0440", Title: "SASL Channel-Binding Type Capability", Version: "1.0.0", State: spec.Complete, Note: "Server."},
		{Number: "0480", Title: "SASL Upgrade Tasks", Version: "0.2.0", State: spec.Complete, Note: "Server. To SCRAM-SHA-256 and SCRAM-SHA-512."},
		{Number: "0484", Title: "Fast Authentication Streamlining Tokens", Version: "0.2.0", State: spec.Complete, Note: "Server. Not in the early data of TLS."},
		{Number: "0474", Title: "SASL SCRAM Downgrade Protection", Version: "0.5.0", State: spec.Complete, Note: "Server."},
		{Number: "0493", Title: "OAuth Client Login", Version: "0.1.1", State: spec.Partial, Note: "Server. OAUTHBEARER with a provider; every token has the rights of the account, whatever xmpp: scopes it has."},
	}
}
