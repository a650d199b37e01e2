package component

import (
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"io"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/core/stream"
)

// arrival is what is known about a connection that has not proved itself.
type arrival struct {
	open   bool   // our header has been sent
	domain string // as asked for
}

// negotiate is XEP-0114 §3 from the server's side. An error has not been sent yet.
func (s *Server) negotiate(w *wire, a *arrival) (*slot, error) {
	slot, id, err := s.header(w, a)
	if err != nil {
		return nil, err
	}
	it, err := w.scanner.Next()
	if err != nil {
		return nil, err
	}
	if it.Kind == stream.Close {
		return nil, errEnded
	}
	if !it.Is(stanza.NSComponent, "handshake") {
		return nil, stream.NewError(stream.NotAuthorized, "handshake expected")
	}
	proof, err := it.Tree()
	if err != nil {
		return nil, err
	}
	want := handshake(id, slot.secret)
	if subtle.ConstantTimeCompare([]byte(proof.Text()), []byte(want)) != 1 { // CVE-2021-32921
		return nil, stream.NewError(stream.NotAuthorized, "")
	}
	w.attached(s.cfg.Stanza)
	if !slot.claim(w, s.cfg.Conflict, []byte("<handshake/>")) {
		return nil, errConflict
	}
	return slot, nil
}

// header reads the component's header and answers it, also where it is refused
// (RFC 6120 §4.9.1.2).
func (s *Server) header(w *wire, a *arrival) (*slot, string, error) {
	it, err := w.scanner.Next()
	h := w.scanner.Header()
	if err == nil && it.Kind != stream.Open {
		err = stream.NewError(stream.BadFormat, "stream header expected")
	}
	id := rand.Text()
	answer := stream.Header{Content: stanza.NSComponent, ID: id}
	var slot *slot
	if h != nil {
		a.domain = h.To
		slot, err = s.lookup(h.To, err)
	}
	switch {
	case slot != nil:
		answer.From = slot.domain.String()
	case !s.cfg.Name.IsZero():
		answer.From = s.cfg.Name.String()
	}
	if errors.Is(err, io.EOF) && h == nil {
		return nil, "", err // nobody spoke
	}
	a.open = true
	w.write(answer.Append(nil))
	return slot, id, err
}

// lookup is the slot of the domain that the header names.
func (s *Server) lookup(to string, err error) (*slot, error) {
	if err != nil {
		return nil, err
	}
	if to == "" {
		return nil, stream.NewError(stream.ImproperAddressing, "to is missing")
	}
	domain, bad := jid.Parse(to)
	if bad != nil {
		return nil, stream.NewError(stream.HostUnknown, "")
	}
	slot := s.slots[domain.String()]
	if slot == nil {
		return nil, stream.NewError(stream.HostUnknown, "")
	}
	return slot, nil
}
