package web

import (
	"net/http"
	"strings"
)

// shown are the types that browsers show in place: pictures, sound and films, which cannot contain scripts. SVG can.
var shown = map[string]bool{
	"image/png": true, "image/jpeg": true, "image/gif": true, "image/webp": true, "image/avif": true, "image/heic": true, "image/heif": true, "image/bmp": true,
	"image/jxl": true, "video/mp4": true, "video/webm": true, "video/ogg": true, "video/mpeg": true, "video/quicktime": true, "video/3gpp": true,
	"video/x-matroska": true, "audio/mpeg": true, "audio/mp4": true, "audio/aac": true, "audio/ogg": true, "audio/opus": true, "audio/flac": true,
	"audio/x-flac": true, "audio/wav": true, "audio/x-wav": true, "audio/webm": true, "audio/3gpp": true, "audio/amr": true, "audio/x-m4a": true,
}

const octets = "application/octet-stream"

// ContentType returns the type with which a file of somebody else is served, and whether it may be shown in place. What a browser might
// run if it came from this server, such as scripts, pages and style sheets, is bytes.
func ContentType(typ string) (served string, inline bool) {
	base, _, _ := strings.Cut(typ, ";")
	base = strings.ToLower(strings.TrimSpace(base)) // RFC 9110 §8.3.1
	switch {
	case shown[base]:
		return base, true
	case base == "":
		return octets, false
	case base == "text/plain":
		return "text/plain; charset=utf-8", false
	case strings.HasPrefix(base, "text/"), strings.HasSuffix(base, "+xml"), strings.HasSuffix(base, "/xml"), strings.Contains(base, "script"),
		strings.Contains(base, "wasm"), strings.Contains(base, "flash"), strings.Contains(base, "json"), strings.Contains(base, "html"):
		return octets, false
	}
	return base, false
}

// SecureContent sets the header that every answer with a file of somebody else has: no script runs in a file that is shown, whatever
// its type, and other sites may show it but not put it into a frame (XEP-0363 §9.1).
func SecureContent(h http.Header) {
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox; frame-ancestors 'none'")
	h.Set("Cross-Origin-Resource-Policy", "cross-origin")
	h.Set("Referrer-Policy", "no-referrer")
	// Web clients are pages of other sites (XEP-0363 §8). There are no cookies, so there is nothing that they could misuse.
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Access-Control-Allow-Methods", "OPTIONS, HEAD, GET, PUT")
	h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type, Range")
	h.Set("Access-Control-Expose-Headers", "Content-Length, Content-Range, Content-Disposition, ETag")
	h.Set("Access-Control-Max-Age", "7200")
}
