package upload

import (
	"mime"
	"path"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Lengths in bytes.
const (
	maxName      = 200
	maxExtension = 20
	maxType      = 128
)

// cleanName returns a file's name as it is in its address: without what would make it a path, and without characters that cannot be
// seen, which make one name look like another (such as U+202E before "gpj.exe"). "" is returned for a name without anything else.
func cleanName(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case r == '/' || r == '\\':
			return '_'
		case r == utf8.RuneError || unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp):
			return -1
		}
		return r
	}, s)
	s = strings.TrimSpace(s)
	if strings.Trim(s, ".") == "" && s != "" {
		s = "_" + s // "." and ".." are no names
	}
	if len(s) <= maxName {
		return s
	}
	extension := path.Ext(s)
	if len(extension) > maxExtension {
		extension = ""
	}
	stem := s[:maxName-len(extension)]
	for !utf8.ValidString(stem) {
		stem = stem[:len(stem)-1]
	}
	return stem + extension
}

// parseType returns a media type in its usual form.
func parseType(s string) (string, bool) {
	if len(s) > maxType {
		return "", false
	}
	typ, parameters, err := mime.ParseMediaType(s)
	if err != nil || strings.Count(typ, "/") != 1 || strings.HasPrefix(typ, "multipart/") {
		return "", false
	}
	out := mime.FormatMediaType(typ, parameters)
	return out, out != "" && len(out) <= maxType
}
