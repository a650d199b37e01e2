package stream

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/dragoman-im/dragoman/core/stanza"
)

// A start tag that is cut off anywhere and followed by the end of the stream is wrong at
// once: the scanner does not wait for the quote or the '>' that is missing.
func TestRFC6120_019_IncompleteStartTag(t *testing.T) {
	t.Parallel()
	const head = "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>"
	const tag = "<message to='juliet@home.test' id=\"1\">"
	for cut := 1; cut < len(tag); cut++ {
		r, w := io.Pipe()
		go func() {
			_, _ = io.Copy(w, iotest.OneByteReader(strings.NewReader(head+tag[:cut]+"</stream:stream>"))) // the reader has gone
		}()
		s := NewScanner(r, stanza.NSClient, ForClients())
		if _, err := s.Next(); err != nil {
			t.Fatal(err)
		}
		var e *Error
		if _, err := s.Next(); !errors.As(err, &e) || e.Condition != NotWellFormed {
			t.Errorf("%q: %v, want %s", tag[:cut], err, NotWellFormed)
		}
		_ = r.Close()
	}
}
