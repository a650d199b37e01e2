package pubsub

import "github.com/dragoman-im/dragoman/core/stanza"

// with adds a condition of pubsub#errors to a stanza error.
func with(e *stanza.Error, condition string) *stanza.Error {
	e.App = stanza.NewElement(nsErrors, condition)
	return e
}

// unsupported answers a request for a feature that the service or the node does not have.
func unsupported(feature string) *stanza.Error {
	e := stanza.FeatureNotImplemented("")
	e.App = stanza.NewElement(nsErrors, "unsupported").With("feature", feature)
	return e
}

func errNodeIDRequired() *stanza.Error { return with(stanza.BadRequest(""), "nodeid-required") }

func errNoNode() *stanza.Error { return stanza.ItemNotFound("") }

func errPayloadTooBig() *stanza.Error {
	return with(stanza.NotAcceptable("the payload is too large"), "payload-too-big")
}

func errInvalidPayload(text string) *stanza.Error {
	return with(stanza.BadRequest(text), "invalid-payload")
}

func errPreconditions() *stanza.Error {
	return with(stanza.Conflict("the node is configured differently"), "precondition-not-met") // XEP-0060 §7.1.5
}
