package server

import (
	"fmt"
	"io"
	"net"
	nethttp "net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/core/features/upload"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// A storage that takes a file and does not answer does not keep the server from stopping within server.shutdown.
func TestShutdownUpload(t *testing.T) {
	t.Parallel()
	stalled, released := make(chan struct{}, 10), make(chan struct{})
	storage := httptest.NewServer(nethttp.HandlerFunc(func(_ nethttp.ResponseWriter, r *nethttp.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		stalled <- struct{}{}
		<-released
	}))
	defer storage.Close()
	defer close(released)
	p := newTestServer(t, extra{server: `shutdown = "2s"`, upload: fmt.Sprintf("s3 = %q\ns3_bucket = \"bucket\"\ns3_key = \"k\"\ns3_secret = \"s\"", storage.URL)})
	c := p.online("romeo")
	c.Send("<iq type='get' id='u' to='upload.home.test'><request xmlns='urn:xmpp:http:upload:0' filename='a' size='3'/></iq>")
	answer, err := stanza.ParseElement(c.Until("</iq>"), "")
	if err != nil {
		t.Fatal(err)
	}
	put := answer.Child(upload.NS, "slot").Child(upload.NS, "put")
	_, path, _ := strings.Cut(put.Attr("url"), upload.Path)
	nc, err := net.Dial("tcp", p.server.ports.http[0].Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	if _, err := fmt.Fprintf(nc, "PUT %s HTTP/1.1\r\nHost: x\r\nAuthorization: %s\r\nContent-Length: 3\r\n\r\nabc", upload.Path+path, put.ChildText(upload.NS, "header")); err != nil {
		t.Fatal(err)
	}
	select {
	case <-stalled:
	case <-time.After(patience):
		t.Fatal("nothing came to the storage")
	}
	begun := time.Now()
	p.stop()
	if took := time.Since(begun); took > 4*time.Second {
		t.Errorf("it stopped after %v", took)
	}
}
