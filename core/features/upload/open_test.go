package upload

import (
	"io"
	"strings"
	"testing"
	"time"
)

// Other parts of the server open a file under the same conditions as HTTP: by its whole address, while it is kept.
func TestOpen(t *testing.T) {
	t.Parallel()
	s := start(t)
	const request = `<request xmlns='urn:xmpp:http:upload:0' filename='a b&amp;ä.txt' size='3'/>`
	url, token := s.slot(alice, request)
	waiting, _ := s.slot(alice, request)
	address := func(url string) string { return strings.TrimPrefix(url, s.base+Path) }
	open := func(address string) (string, error) {
		c, err := s.Uploads.Open(t.Context(), address)
		if err != nil {
			return "", err
		}
		data, err := io.ReadAll(c)
		if c.Size != int64(len(data)) {
			t.Errorf("%d bytes of %d", len(data), c.Size)
		}
		_ = c.Close()
		return string(data), err
	}
	s.wants("PUT", url, token, 201)
	if got, err := open(address(url)); got != "abc" || err != nil {
		t.Errorf("%q %v", got, err)
	}
	id, _, _ := strings.Cut(address(url), "/")
	for _, bad := range []string{
		"", "/", id, id + "/", id + "/b", id + "/%zz", address(url) + "/x", address(url) + "?x", "../" + address(url), "x" + address(url), address(waiting),
	} {
		if got, err := open(bad); err == nil {
			t.Errorf("%q opens %q", bad, got)
		}
	}
	s.clock = s.clock.Add(time.Hour + time.Second)
	if got, err := open(address(url)); err == nil {
		t.Errorf("after its time %q", got)
	}
}
