package webapi

import (
	"errors"
	"io"
	"net/http"
)

// maxAnswer bounds one answer of the Web API: a page of two hundred members is less than a megabyte.
const maxAnswer = 32 << 20

var errHuge = errors.New("an answer that is too large")

// Bounded is a transport whose answers are bounded in size.
func Bounded(next http.RoundTripper) http.RoundTripper { return bounded{next} }

// bounded is a transport whose answers end with an error where they are too large. slack-go reads
// them to their ends, and what is compressed can be a thousand times what was sent.
type bounded struct{ next http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := b.next.RoundTrip(r)
	if err == nil && answer.Body != nil {
		answer.Body = &boundedBody{answer.Body, maxAnswer}
	}
	return answer, err
}

type boundedBody struct {
	io.ReadCloser
	left int64
}

// Read implements io.Reader.
func (b *boundedBody) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errHuge
	}
	n, err := b.ReadCloser.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	return n, err
}
