package featuretest

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/config"
	"github.com/dragoman-im/dragoman/core/features/upload"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
	storeuploads "github.com/dragoman-im/dragoman/core/store/uploads"
)

const (
	uploadDomain = "upload.example.org"
	uploadNS     = "urn:xmpp:http:upload:0"
	purposeNS    = "urn:xmpp:http:upload:purpose:0"
)

// uploads is a server that takes files, with an HTTP client that finds it.
type uploads struct {
	*testServer
	client *http.Client
	data   string
}

func startUploads(t *testing.T, change func(*config.Upload), accounts ...string) *uploads {
	t.Helper()
	u := &uploads{}
	u.testServer = startWith(t, func(c *config.Config) {
		c.Listen.HTTPTLS = []string{"127.0.0.1:0"} // its certificate is not what is tested
		c.Limits.NewConnections = 0
		u.data = filepath.Join(c.Server.Data, "uploads")
		change(&c.Upload)
	}, accounts...)
	transport := &http.Transport{
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true,
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			_, port, err := net.SplitHostPort(address)
			if err != nil {
				return nil, err
			}
			return new(net.Dialer).DialContext(ctx, network, "127.0.0.1:"+port)
		},
	}
	u.client = &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return u
}

// slot is the answer to a request for a slot.
type slot struct{ put, get, authorization string }

func slotRequest(name string, size int, typ, inner string) string {
	request := stanza.NewElement(uploadNS, "request").With("filename", name).With("size", fmt.Sprint(size)).With("content-type", typ)
	text := request.String()
	return strings.TrimSuffix(text, "/>") + ">" + inner + "</request>"
}

// slot requests a slot, which has to be given.
func (u *uploads) slot(c *client, name string, size int, typ, inner string) slot {
	u.t.Helper()
	c.take()
	c.sends(ask("get", "s", uploadDomain, slotRequest(name, size, typ, inner)))
	got := c.take()
	if len(got) != 1 || got[0].Err() != nil {
		u.t.Fatalf("no slot: %s", show(got))
	}
	e := got[0].FirstChild()
	put, get := e.Child(uploadNS, "put"), e.Child(uploadNS, "get")
	header := put.Child(uploadNS, "header")
	if !e.Is(uploadNS, "slot") || header.Attr("name") != "Authorization" || !strings.HasPrefix(put.Attr("url"), "https://") {
		u.t.Fatalf("%s", e)
	}
	return slot{put.Attr("url"), get.Attr("url"), header.Text()}
}

// do makes a request and returns the answer with its content.
func (u *uploads) do(method, url, content string, header ...string) (*http.Response, string) {
	u.t.Helper()
	r, err := http.NewRequestWithContext(u.t.Context(), method, url, bytes.NewReader([]byte(content)))
	if err != nil {
		u.t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	if r.Header.Get("Transfer-Encoding") == "chunked" {
		r.ContentLength, r.Body = -1, io.NopCloser(strings.NewReader(content))
	}
	answer, err := u.client.Do(r)
	if err != nil {
		u.t.Fatalf("%s %s: %v", method, url, err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		u.t.Error(err)
	}
	return answer, string(text)
}

func (u *uploads) put(s slot, content string, header ...string) int {
	u.t.Helper()
	answer, _ := u.do(http.MethodPut, s.put, content, append([]string{"Authorization", s.authorization}, header...)...)
	return answer.StatusCode
}

// contents lists what is in the directory of files.
func (u *uploads) contents() (list []string) {
	u.t.Helper()
	err := filepath.WalkDir(u.data, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			list = append(list, path)
		}
		return err
	})
	if err != nil {
		u.t.Fatal(err)
	}
	return list
}

// XEP-0363 §3
func TestUploadDisco(t *testing.T) {
	t.Parallel()
	u := startUploads(t, func(c *config.Upload) { c.Size = 5242880 }, "alice")
	alice := u.online(alicePC)
	alice.sends(ask("get", "1", "example.org", `<query xmlns='http://jabber.org/protocol/disco#items'/>`), ask("get", "2", uploadDomain, `<query xmlns='http://jabber.org/protocol/disco#info'/>`),
		ask("get", "3", uploadDomain, `<query xmlns='http://jabber.org/protocol/disco#items'/>`), ask("get", "4", uploadDomain, `<query xmlns='jabber:iq:version'/>`),
		`<message to='upload.example.org' id='5'><body>x</body></message>`, ask("get", "6", uploadDomain+"/x", slotRequest("a", 1, "", "")))
	alice.gets(`<iq type='result' id='1'><query xmlns='http://jabber.org/protocol/disco#items'><item jid='upload.example.org' name='HTTP File Upload'/></query></iq>`,
		`<iq type='result' id='2' from='upload.example.org'><query xmlns='http://jabber.org/protocol/disco#info'><identity category='store' type='file' name='HTTP File Upload'/>`+
			`<feature var='`+uploadNS+`'/><feature var='`+purposeNS+`#message'/><feature var='`+purposeNS+`#profile'/><feature var='`+purposeNS+`#ephemeral'/>`+
			`<x xmlns='jabber:x:data' type='result'><field var='FORM_TYPE' type='hidden'><value>`+uploadNS+`</value></field>`+
			`<field var='max-file-size'><value>5242880</value></field></x></query></iq>`,
		`<iq type='result' id='3'><query xmlns='http://jabber.org/protocol/disco#items'/></iq>`,
		fails("iq", "4", "service-unavailable"), fails("message", "5", "service-unavailable"), fails("iq", "6", "service-unavailable"))
}

// XEP-0363 §4 to §7: a file is uploaded, and whoever has its address gets it, as a whole or in part.
func TestUpload(t *testing.T) {
	t.Parallel()
	u := startUploads(t, func(*config.Upload) {}, "alice")
	alice := u.online(alicePC)
	const name, content = "très cool & <b>.jpg", "0123456789"
	s := u.slot(alice, name, 10, "image/jpeg", "")
	if !strings.HasSuffix(s.get, "/tr%C3%A8s%20cool%20&%20%3Cb%3E.jpg") {
		t.Errorf("address %s", s.get)
	}
	if answer, _ := u.do("GET", s.get, ""); answer.StatusCode != 404 {
		t.Errorf("it is there before it was uploaded: %d", answer.StatusCode)
	}
	if got := u.put(s, content, "Content-Type", "image/jpeg"); got != 201 {
		t.Fatalf("PUT: %d", got)
	}
	answer, text := u.do("GET", s.get, "")
	if answer.StatusCode != 200 || text != content {
		t.Errorf("GET: %d %q", answer.StatusCode, text)
	}
	for header, want := range map[string]string{
		"Content-Type": "image/jpeg", "X-Content-Type-Options": "nosniff", "Access-Control-Allow-Origin": "*", "Access-Control-Allow-Credentials": "",
		"Content-Disposition": "inline; filename*=utf-8''tr%C3%A8s%20cool%20&%20%3Cb%3E.jpg", "Content-Length": "10", "Accept-Ranges": "bytes",
		"Content-Security-Policy": "default-src 'none'; sandbox; frame-ancestors 'none'",
	} {
		if got := answer.Header.Get(header); got != want {
			t.Errorf("%s is %q, want %q", header, got, want)
		}
	}
	if c := answer.Header.Get("Cache-Control"); !strings.HasPrefix(c, "public, max-age=") || !strings.HasSuffix(c, ", immutable") {
		t.Errorf("Cache-Control is %q", c)
	}
	tag := answer.Header.Get("ETag")
	for _, c := range []struct {
		method string
		header []string
		status int
		want   string
	}{
		{"HEAD", nil, 200, ""},
		{"GET", []string{"Range", "bytes=2-4"}, 206, "234"},
		{"GET", []string{"Range", "bytes=-3"}, 206, "789"},
		{"GET", []string{"Range", "bytes=10-"}, 416, "*"},
		{"GET", []string{"Range", "bytes=nonsense"}, 416, "*"},
		{"GET", []string{"Range", "bytes=2-4", "If-Range", tag}, 206, "234"},
		{"GET", []string{"Range", "bytes=2-4", "If-Range", `"other"`}, 200, content},
		{"GET", []string{"If-None-Match", tag}, 304, ""},
		{"OPTIONS", []string{"Origin", "https://client.example", "Access-Control-Request-Method", "PUT"}, 204, ""},
		{"POST", nil, 405, "*"},
		{"DELETE", nil, 405, "*"},
	} {
		answer, text := u.do(c.method, s.get, "", c.header...)
		if answer.StatusCode != c.status || c.want != "*" && text != c.want {
			t.Errorf("%s %q: %d %q", c.method, c.header, answer.StatusCode, text)
		}
		if c.method == "HEAD" && answer.ContentLength != 10 {
			t.Errorf("HEAD: %d bytes", answer.ContentLength)
		}
	}
	if len(u.contents()) != 1 {
		t.Errorf("%q", u.contents())
	}
}

// PUT token binding: what does not fit the slot is refused and stores nothing.
func TestUploadsThatDoNotFit(t *testing.T) {
	t.Parallel()
	u := startUploads(t, func(*config.Upload) {}, "alice", "bob")
	alice, bob := u.online(alicePC), u.online(bobDesk)
	s, other := u.slot(alice, "a.txt", 3, "text/plain", ""), u.slot(bob, "a.txt", 3, "text/plain", "")
	swap := func(in, old, new string) string {
		if !strings.Contains(in, old) {
			t.Fatalf("%s has no %s", in, old)
		}
		return strings.Replace(in, old, new, 1)
	}
	tail := s.put[strings.Index(s.put, "/upload/"):]
	base := strings.TrimSuffix(s.put, tail)
	typ := []string{"Content-Type", "text/plain"}
	for name, c := range map[string]struct {
		url, content string
		header       []string
		want         int
	}{
		"no token":               {s.put, "abc", typ, 403},
		"another account's":      {s.put, "abc", append([]string{"Authorization", other.authorization}, typ...), 403},
		"token for another file": {other.put, "abc", append([]string{"Authorization", s.authorization}, typ...), 403},
		"forged signature":       {s.put, "abc", append([]string{"Authorization", s.authorization[:len(s.authorization)-3] + "AAA"}, typ...), 403},
		"no signature":           {s.put, "abc", append([]string{"Authorization", s.authorization[:strings.LastIndex(s.authorization, ".")+1]}, typ...), 403},
		"changed size":           {s.put, "abcd", append([]string{"Authorization", swap(s.authorization, "Bearer 3.", "Bearer 4.")}, typ...), 403},
		"another scheme":         {s.put, "abc", append([]string{"Authorization", swap(s.authorization, "Bearer", "Basic")}, typ...), 403},
		"a long token":           {s.put, "abc", append([]string{"Authorization", s.authorization + strings.Repeat("A", 2000)}, typ...), 403},
		"another name":           {swap(s.put, "a.txt", "b.txt"), "abc", append([]string{"Authorization", s.authorization}, typ...), 403},
		"too long":               {s.put, "abcd", append([]string{"Authorization", s.authorization}, typ...), 413},
		"too short":              {s.put, "ab", append([]string{"Authorization", s.authorization}, typ...), 400},
		"empty":                  {s.put, "", append([]string{"Authorization", s.authorization}, typ...), 400},
		"no length":              {s.put, "abc", append([]string{"Transfer-Encoding", "chunked", "Authorization", s.authorization}, typ...), 411},
		"another type":           {s.put, "abc", []string{"Authorization", s.authorization, "Content-Type", "text/html"}, 415},
		"nonsense as type":       {s.put, "abc", []string{"Authorization", s.authorization, "Content-Type", "nonsense"}, 415},
		"an unknown id":          {base + "/upload/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/a.txt", "abc", append([]string{"Authorization", s.authorization}, typ...), 403},
		"a path":                 {base + "/upload/..%2f..%2fetc/passwd", "abc", append([]string{"Authorization", s.authorization}, typ...), 403},
	} {
		if answer, _ := u.do(http.MethodPut, c.url, c.content, c.header...); answer.StatusCode != c.want {
			t.Errorf("%s: %d, want %d", name, answer.StatusCode, c.want)
		}
		if list := u.contents(); len(list) != 0 {
			t.Fatalf("%s: %q", name, list)
		}
	}
	if got := u.put(s, "abc", typ...); got != 201 {
		t.Errorf("what fits: %d", got)
	}
	if got := u.put(s, "xyz", typ...); got != 409 {
		t.Errorf("once more: %d", got)
	}
	if _, got := u.do("GET", s.get, ""); got != "abc" {
		t.Errorf("it was replaced by %q", got)
	}
}

// An upload that breaks off leaves nothing and can be repeated.
func TestUploadBreaksOff(t *testing.T) {
	t.Parallel()
	u := startUploads(t, func(*config.Upload) {}, "alice")
	s := u.slot(u.online(alicePC), "a", 1_000_000, "", "")
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPut, s.put, io.MultiReader(strings.NewReader("abc"), brokenReader{}))
	if err != nil {
		t.Fatal(err)
	}
	r.ContentLength = 1_000_000
	r.Header.Set("Authorization", s.authorization)
	if answer, err := u.client.Do(r); err == nil {
		answer.Body.Close()
		t.Errorf("answered with %d", answer.StatusCode)
	}
	content := strings.Repeat("x", 1_000_000)
	for limit := time.Now().Add(20 * time.Second); u.put(s, content) != 201; time.Sleep(time.Millisecond) { // the first one may still have the slot
		if time.Now().After(limit) {
			t.Fatal("it cannot be repeated")
		}
	}
	if list := u.contents(); len(list) != 1 {
		t.Errorf("%q", list)
	}
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, io.ErrClosedPipe }

// CVE-2016-1231 and its like: no request leads to another file.
func TestUploadPaths(t *testing.T) {
	t.Parallel()
	u := startUploads(t, func(*config.Upload) {}, "alice")
	s := u.slot(u.online(alicePC), "a.txt", 3, "", "")
	if got := u.put(s, "abc"); got != 201 {
		t.Fatal(got)
	}
	if err := os.WriteFile(filepath.Join(filepath.Dir(u.data), "secretsecretsecret"), []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	at := strings.Index(s.get, "/upload/") + len("/upload/")
	base, id := s.get[:at], s.get[at:strings.LastIndex(s.get, "/")]
	for _, path := range []string{
		"", "..", "../", "%2e%2e/secretsecretsecret", "%2e%2e%2fsecretsecretsecret/a.txt", "..%5csecretsecretsecret/a.txt", "%252e%252e%252fsecretsecretsecret/a.txt",
		"%u002e%u002e/secretsecretsecret", "secretsecretsecret/a.txt", "secretsecretsecret%00/a.txt", "/etc/passwd", "%2fetc%2fpasswd/a.txt", id, id + "/", id + "/b.txt",
		id + "/a.txt/", id + "/a.txt%00", id + "/../" + id, id + ";x/a.txt", strings.ToUpper(id) + "/a.txt", id[:2] + "/" + id, "unfinished/" + id, id + "/A.TXT",
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, base, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		r.URL.Opaque = "//" + r.URL.Host + "/upload/" + path // as it is
		answer, err := u.client.Do(r)
		if err != nil {
			continue // the client does not send it
		}
		text, _ := io.ReadAll(answer.Body)
		_ = answer.Body.Close()
		if answer.StatusCode == 200 || strings.Contains(string(text), "secret") && !strings.Contains(path, "secret") || string(text) == "secret" || string(text) == "abc" {
			t.Errorf("%s: %d %q", path, answer.StatusCode, text)
		}
	}
}

// Uploaded file XSS: nothing that a browser could run is shown in place, or has a type with which another page could run it.
func TestUploadedPages(t *testing.T) {
	t.Parallel()
	u := startUploads(t, func(*config.Upload) {}, "alice")
	alice := u.online(alicePC)
	for typ, want := range map[string][2]string{
		"image/png": {"inline", "image/png"}, "video/mp4": {"inline", "video/mp4"}, "audio/ogg; codecs=opus": {"inline", "audio/ogg"},
		"image/svg+xml": {"attachment", "application/octet-stream"}, "text/html": {"attachment", "application/octet-stream"}, "TEXT/HTML; charset=x": {"attachment", "application/octet-stream"},
		"application/xhtml+xml": {"attachment", "application/octet-stream"}, "text/javascript": {"attachment", "application/octet-stream"}, "text/css": {"attachment", "application/octet-stream"},
		"application/javascript": {"attachment", "application/octet-stream"}, "application/wasm": {"attachment", "application/octet-stream"}, "application/xml": {"attachment", "application/octet-stream"},
		"application/pdf": {"attachment", "application/pdf"}, "text/plain": {"attachment", "text/plain; charset=utf-8"}, "": {"attachment", "application/octet-stream"},
	} {
		s := u.slot(alice, "x.html", 8, typ, "")
		if got := u.put(s, "<script>"); got != 201 {
			t.Fatal(typ, got)
		}
		answer, _ := u.do("GET", s.get, "")
		disposition, _, _ := strings.Cut(answer.Header.Get("Content-Disposition"), ";")
		if got := [2]string{disposition, answer.Header.Get("Content-Type")}; got != want {
			t.Errorf("%s: %q, want %q", typ, got, want)
		}
		if answer.Header.Get("X-Content-Type-Options") != "nosniff" || !strings.Contains(answer.Header.Get("Content-Security-Policy"), "sandbox") {
			t.Errorf("%s: %v", typ, answer.Header)
		}
	}
	// A name cannot add to the header, or look like another one.
	for name, want := range map[string]string{
		"a\"; filename=b.html": "attachment; filename=\"a\\\"; filename=b.html\"", "a\r\nX: y": "attachment; filename=\"aX: y\"", "a/../b": "attachment; filename=a_.._b",
		"..": "attachment; filename=_..", "photo\u202egpj.exe": "attachment; filename=photogpj.exe", " \x7f": "",
	} {
		if want == "" {
			alice.sends(ask("get", "n", uploadDomain, slotRequest(name, 1, "", "")))
			alice.gets(fails("iq", "n", "bad-request"))
			continue
		}
		s := u.slot(alice, name, 1, "", "")
		if got := u.put(s, "x"); got != 201 {
			t.Errorf("%q: %d", name, got)
		}
		if answer, _ := u.do("GET", s.get, ""); answer.Header.Get("Content-Disposition") != want {
			t.Errorf("%q: %s, want %s", name, answer.Header.Get("Content-Disposition"), want)
		}
	}
}

// XEP-0363 §4 to §6: requests that are refused.
func TestSlotsThatAreRefused(t *testing.T) {
	t.Parallel()
	u := startUploads(t, func(c *config.Upload) { c.Size, c.ProfileSize = 20000, 100 }, "alice", "bob")
	alice := u.online(alicePC)
	tooLarge := func(limit string) string {
		return `<error type='modify'><not-acceptable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/><text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>*</text>` +
			`<file-too-large xmlns='` + uploadNS + `'><max-file-size>` + limit + `</max-file-size></file-too-large></error>`
	}
	for _, c := range []struct{ typ, request, want string }{
		{"get", slotRequest("très cool.jpg", 23456, "image/jpeg", ""), tooLarge("20000")},
		{"get", slotRequest("a", 101, "", "<profile xmlns='"+purposeNS+"'/>"), tooLarge("100")},
		{"get", slotRequest("a", 1, "", "<permanent xmlns='"+purposeNS+"'/>"), "feature-not-implemented"},
		{"get", slotRequest("a", 1, "", "<ephemeral xmlns='"+purposeNS+"'/>"), "bad-request"},
		{"get", slotRequest("a", 1, "", "<ephemeral xmlns='"+purposeNS+"' expire-before='yesterday'/>"), "bad-request"},
		{"get", slotRequest("a", 1, "", "<ephemeral xmlns='"+purposeNS+"' expire-before='2001-01-01T00:00:00Z'/>"), "bad-request"},
		{"get", `<request xmlns='` + uploadNS + `' size='1'/>`, "bad-request"},
		{"get", `<request xmlns='` + uploadNS + `' filename='a'/>`, "bad-request"},
		{"get", slotRequest("a", 0, "", ""), "bad-request"},
		{"get", slotRequest("a", -1, "", ""), "bad-request"},
		{"get", `<request xmlns='` + uploadNS + `' filename='a' size='1e3'/>`, "bad-request"},
		{"get", `<request xmlns='` + uploadNS + `' filename='a' size='99999999999999999999'/>`, "bad-request"},
		{"get", `<request xmlns='` + uploadNS + `' filename='' size='1'/>`, "bad-request"},
		{"get", slotRequest("a", 1, "nonsense", ""), "bad-request"},
		{"get", slotRequest("a", 1, "text/plain; "+strings.Repeat("x", 200)+"=y", ""), "bad-request"},
		{"set", slotRequest("a", 1, "", ""), "bad-request"},
		{"get", `<slot xmlns='` + uploadNS + `'/>`, "bad-request"},
	} {
		want := c.want
		if strings.HasPrefix(want, "<") {
			want = `<iq type='error' id='1' from='upload.example.org'>` + want + `</iq>`
		} else {
			want = fails("iq", "1", want)
		}
		alice.sends(ask(c.typ, "1", uploadDomain, c.request))
		alice.gets(want)
	}
	for from, e := range map[string]*entity{"romeo@remote.example/x": u.remote, "a@gw.example.org": u.gateway} {
		e.sends(strings.Replace(ask("get", "2", uploadDomain, slotRequest("a", 1, "", "")), "<iq", "<iq from='"+from+"'", 1))
		e.gets(fails("iq", "2", "forbidden"))
	}
	if list, err := storeuploads.New(u.store).SelectUploads(t.Context(), selectionOf(aliceBare)); err != nil || len(list) != 0 {
		t.Errorf("%q, %v", list, err)
	}
	long := u.slot(alice, strings.Repeat("ä", 500)+".jpeg", 1, "", "")
	if name := long.get[strings.LastIndex(long.get, "/"):]; !strings.HasSuffix(name, "%A4.jpeg") || len(name) > 700 {
		t.Errorf("a long name: %s", name)
	}
}

// Quotas of an account: XEP-0363 §6 with the time of the next try. Another account has its own.
func TestUploadQuotas(t *testing.T) {
	t.Parallel()
	wait := func(stamp string) string {
		x := `<iq type='error' id='1'><error type='wait'><resource-constraint xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/><text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>*</text>`
		if stamp != "" {
			x += `<retry xmlns='` + uploadNS + `' stamp='` + stamp + `'/>`
		}
		return x + `</error></iq>`
	}
	profile := "<profile xmlns='" + purposeNS + "'/>"
	for name, c := range map[string]struct {
		change func(*config.Upload)
		inner  string
		want   string
	}{
		"bytes of a day": {func(c *config.Upload) { c.Daily = 25 }, "", wait("*")},
		"files of a day": {func(c *config.Upload) { c.DailyFiles = 2 }, "", wait("*")},
		"total":          {func(c *config.Upload) { c.Total = 25 }, "", wait("*")},
		"total, kept":    {func(c *config.Upload) { c.Total, c.Keep = 25, 0 }, "", wait("")},
		"profile":        {func(c *config.Upload) { c.ProfileFiles = 2 }, profile, wait("")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			u := startUploads(t, c.change, "alice", "bob")
			alice, bob := u.online(alicePC), u.online(bobDesk)
			for range 2 {
				u.slot(alice, "a", 10, "", c.inner)
			}
			alice.sends(ask("get", "1", uploadDomain, slotRequest("a", 10, "", c.inner)))
			got := alice.take()
			if len(got) != 1 {
				t.Fatal(show(got))
			}
			if why := differs(parseElement(t, c.want), got[0].Tree()); why != "" {
				t.Errorf("%s\n%s", why, got[0])
			}
			if retry := got[0].Err().App; retry != nil {
				at, err := time.Parse("2006-01-02T15:04:05Z", retry.Attr("stamp"))
				if err != nil || time.Until(at) < 23*time.Hour {
					t.Errorf("retry at %v, %v", at, err)
				}
			} else if !strings.HasSuffix(c.want, "text></error></iq>") && strings.Contains(c.want, "retry") {
				t.Error("no time")
			}
			u.slot(bob, "a", 10, "", c.inner)
		})
	}
}

// CVE-2024-25420 and its like: with an account its files go, and uploads that have begun end.
func TestRemovedAccountsUploads(t *testing.T) {
	t.Parallel()
	u := startUploads(t, func(*config.Upload) {}, "alice", "bob")
	alice, bob := u.online(alicePC), u.online(bobDesk)
	kept := u.slot(bob, "a", 1, "", "")
	stored := u.slot(alice, "a", 1, "", "")
	if u.put(kept, "x") != 201 || u.put(stored, "x") != 201 {
		t.Fatal("not uploaded")
	}
	unused, running := u.slot(alice, "a", 1, "", ""), u.slot(alice, "a", 1_000_000, "", "")
	reader, writer := io.Pipe()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPut, running.put, reader)
	if err != nil {
		t.Fatal(err)
	}
	r.ContentLength = 1_000_000
	r.Header.Set("Authorization", running.authorization)
	ended := make(chan bool)
	go func() {
		if answer, err := u.client.Do(r); err == nil {
			answer.Body.Close()
			if answer.StatusCode == 201 {
				t.Error("it was stored")
			}
		}
		close(ended)
	}()
	if _, err := writer.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	for limit := time.Now().Add(20 * time.Second); len(u.contents()) < 3; time.Sleep(time.Millisecond) {
		if time.Now().After(limit) {
			t.Fatal("the upload does not begin")
		}
	}
	alice.sends(ask("set", "r", "", reg("<remove/>")))
	for limit := time.Now().Add(20 * time.Second); ; time.Sleep(time.Millisecond) {
		if _, err := u.store.Account(t.Context(), jid.MustParse(aliceBare)); err != nil {
			if list, err := u.store.Removals(t.Context()); err == nil && len(list) == 0 {
				break
			}
		}
		if time.Now().After(limit) {
			t.Fatal("the account is there still")
		}
	}
	<-ended
	_ = writer.Close()
	if list := u.contents(); len(list) != 1 {
		t.Errorf("left: %q", list)
	}
	if got := u.put(unused, "x"); got != 404 {
		t.Errorf("a slot of the deleted account: %d", got)
	}
	for s, want := range map[slot]int{stored: 404, kept: 200} {
		if answer, _ := u.do("GET", s.get, ""); answer.StatusCode != want {
			t.Errorf("%d, want %d", answer.StatusCode, want)
		}
	}
}

// Where there is no room, requests and uploads say so, and nothing is left.
func TestNoRoomForUploads(t *testing.T) {
	t.Parallel()
	u := startUploads(t, func(c *config.Upload) { c.Reserve = 1 << 60 }, "alice")
	alice := u.online(alicePC)
	alice.sends(ask("get", "1", uploadDomain, slotRequest("a", 1, "", "")))
	alice.gets(fails("iq", "1", "resource-constraint"))
	if got := u.contents(); len(got) != 0 {
		t.Error(got)
	}
}

func selectionOf(account string) upload.Selection {
	return upload.Selection{Account: jid.MustParse(account), Limit: 10}
}
