package web

import "testing"

// TestTypesInAnyCase is about stored cross-site scripting: types are compared without regard to case (RFC 9110 §8.3.1).
func TestTypesInAnyCase(t *testing.T) {
	t.Parallel()
	for typ, want := range map[string]string{
		"Text/HTML": octets, "TEXT/html; charset=utf-8": octets, "image/SVG+XML": octets, "Application/XHTML+xml": octets, "application/JavaScript": octets,
		"Application/JSON": octets, "application/WASM": octets, " Text/Css ": octets, "Text/Plain": "text/plain; charset=utf-8", "Image/PNG": "image/png",
	} {
		got, inline := ContentType(typ)
		if got != want || inline != (want == "image/png") {
			t.Errorf("%q is served as %q, in place: %v", typ, got, inline)
		}
	}
}
