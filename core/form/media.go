package form

import (
	"strconv"
	"strings"

	"github.com/dragoman-im/dragoman/core/stanza"
)

// NSMedia is the namespace of XEP-0221.
const NSMedia = "urn:xmpp:media-element"

// Media is an image or a sound for a field, such as a QR code.
type Media struct {
	Width, Height int // pixels; 0 is unknown
	URIs          []URI
}

// URI is the address of the media; cid: addresses are XEP-0231.
type URI struct{ Type, URI string }

func parseMedia(e *stanza.Element) *Media {
	m := &Media{Width: atoi(e.Attr("width")), Height: atoi(e.Attr("height"))}
	for u := range e.Named(NSMedia, "uri") {
		if len(m.URIs) < 8 {
			m.URIs = append(m.URIs, URI{Type: u.Attr("type"), URI: strings.TrimSpace(u.Text())})
		}
	}
	return m
}

func (m *Media) element() *stanza.Element {
	if m == nil {
		return nil
	}
	e := stanza.NewElement(NSMedia, "media")
	if m.Height > 0 {
		e.With("height", strconv.Itoa(m.Height))
	}
	if m.Width > 0 {
		e.With("width", strconv.Itoa(m.Width))
	}
	for _, u := range m.URIs {
		e.Add(stanza.TextElement(NSMedia, "uri", u.URI).With("type", u.Type))
	}
	return e
}
