package bosh

import (
	"net/http"
	"strconv"
	"time"

	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/core/stream"
)

// The conditions of answers that end a session (XEP-0124 §17.2).
const (
	BadRequest         = "bad-request"
	ImproperAddressing = "improper-addressing"
	NotFound           = "item-not-found"
	OtherRequest       = "other-request"
	PolicyViolation    = "policy-violation"
	RemoteStreamError  = "remote-stream-error"
	SeeOtherURI        = "see-other-uri"
	SystemShutdown     = "system-shutdown"
	lostConnection     = "remote-connection-failed"
)

// defaultType is the media type of answers (XEP-0124 §7.1).
const defaultType = "text/xml; charset=utf-8"

// Answer is the answer to a request.
type Answer struct {
	Status      int
	ContentType string
	Body        []byte
}

// Ended returns an answer that ends a session, or refuses one. A URI is that of the condition SeeOtherURI.
func Ended(condition, uri string) Answer {
	b := append([]byte(nil), "<body xmlns='"+NS+"' type='terminate'"...)
	b = append(stanza.AppendAttr(b, "condition", condition), '>')
	if uri != "" {
		b = append(stanza.AppendEscaped(append(b, "<uri>"...), uri), "</uri>"...)
	}
	return Answer{http.StatusOK, defaultType, append(b, "</body>"...)}
}

// legacyStatus has the status codes for clients that do not know the conditions (XEP-0124 §17.1).
var legacyStatus = map[string]int{BadRequest: http.StatusBadRequest, PolicyViolation: http.StatusForbidden, NotFound: http.StatusNotFound}

// answer is what an answer says besides the elements in it.
type answer struct {
	created     bool // it is the first one
	terminate   bool
	condition   string // of terminate
	recoverable bool   // the request is to be repeated (XEP-0124 §17.3)
	header      *stream.Header
}

// compose makes an answer. The lock is held.
func (s *Session) compose(a answer, payloads []byte) Answer {
	b := append(make([]byte, 0, len(payloads)+512), "<body xmlns='"+NS+"'"...)
	if a.created || a.header != nil {
		b = append(b, " xmlns:xmpp='"+nsXBOSH+"'"...)
	}
	if a.created || len(payloads) > 0 {
		b = append(b, " xmlns:stream='"+stream.NSStream+"'"...)
	}
	if a.created {
		b = s.appendCreation(b)
	}
	if h := a.header; h != nil {
		b = stanza.AppendAttr(b, "from", h.From)
		b = stanza.AppendAttr(b, "authid", h.ID)
		b = stanza.AppendAttr(b, "xmpp:version", h.Version)
	}
	switch {
	case a.terminate:
		b = stanza.AppendAttr(append(b, " type='terminate'"...), "condition", a.condition)
	case a.recoverable:
		b = append(b, " type='error'"...)
	}
	b = append(append(append(b, '>'), payloads...), "</body>"...)
	status := http.StatusOK
	if code, ok := legacyStatus[a.condition]; ok && a.terminate && s.settings.legacy {
		status = code
	}
	return Answer{status, s.settings.contentType, b}
}

// appendCreation appends the attributes of the first answer (XEP-0124 §7.2, XEP-0206 §4).
func (s *Session) appendCreation(b []byte) []byte {
	set := &s.settings
	b = stanza.AppendAttr(b, "sid", s.id)
	for _, a := range []struct {
		name  string
		value int
	}{
		{"wait", seconds(set.wait)}, {"requests", set.requests}, {"hold", set.hold}, {"inactivity", seconds(set.inactivity)},
		{"maxpause", seconds(maxPause)}, {"polling", seconds(pollInterval)},
	} {
		b = stanza.AppendAttr(b, a.name, strconv.Itoa(a.value))
	}
	b = stanza.AppendAttr(b, "ver", set.version)
	return append(b, " xmpp:restartlogic='true'"...)
}

func seconds(d time.Duration) int { return int(d / time.Second) }
