package fake

import (
	"net/http"
	"net/url"
)

// Checker judges traffic. Its methods are called from many goroutines, without a lock
// held, before the bytes leave the fake server.
type Checker interface {
	// REST sees one request and its answer.
	REST(Exchange)
	// Gateway sees one payload of the gateway.
	Gateway(Frame)
}

// Exchange is a request and its answer.
type Exchange struct {
	Method  string
	Path    string // without /api/v10
	Version int
	Query   url.Values
	// Body is the JSON of the request, the payload_json of a multipart one; nil for none.
	Body []byte
	// Known is false where no route of the fake server matched.
	Known bool
	// Injected reports that the answer was ordered by Inject.
	Injected bool
	Status   int
	Header   http.Header
	Answer   []byte
}

// Frame is one payload of a gateway connection.
type Frame struct {
	FromClient bool
	Data       []byte
	// Partial reports that it is an update as PartialUpdates orders them.
	Partial bool
	// Close is the code where the fake server closes the connection and Data is nil.
	Close int
}
