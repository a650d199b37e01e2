package stream

import "github.com/dragoman-im/dragoman/core/stanza"

// AppendClose writes the end of a stream.
func AppendClose(dst []byte) []byte { return append(dst, "</stream:stream>"...) }

// AppendCloseFramed writes the frame that ends a framed stream (RFC 7395 §3.6); seeOther
// is the URI to use instead, or empty.
func AppendCloseFramed(dst []byte, seeOther string) []byte {
	dst = append(dst, "<close xmlns='"+NSFraming+"'"...)
	return append(stanza.AppendAttr(dst, "see-other-uri", seeOther), '/', '>')
}

// AppendFeatures appends the features element to dst. An empty one ends the
// negotiation (RFC 6120 §4.3.2).
func AppendFeatures(dst []byte, features ...*stanza.Element) []byte {
	return appendFeatures(append(dst, "<stream:features"...), features)
}

// AppendFeaturesFramed is AppendFeatures for a framed stream: the element declares its prefix.
func AppendFeaturesFramed(dst []byte, features ...*stanza.Element) []byte {
	return appendFeatures(append(dst, "<stream:features xmlns:stream='"+NSStream+"'"...), features)
}

func appendFeatures(dst []byte, features []*stanza.Element) []byte {
	if len(features) == 0 {
		return append(dst, '/', '>')
	}
	dst = append(dst, '>')
	for _, f := range features {
		if f != nil {
			dst = f.Append(dst, "")
		}
	}
	return append(dst, "</stream:features>"...)
}
