package httpcheck

import (
	"encoding/json"
	"encoding/pem"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/dragoman-im/dragoman/config"
	"github.com/dragoman-im/dragoman/core/identity"
	"github.com/dragoman-im/dragoman/core/sasl"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// serve starts a service and returns a Host that asks it.
func serve(t *testing.T, timeout time.Duration, handler http.HandlerFunc) *Host {
	t.Helper()
	s := httptest.NewTLSServer(handler)
	t.Cleanup(s.Close)
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	service, err := New(config.HTTPCheck{Backend: config.Backend{Timeout: config.Duration(timeout)}, URL: s.URL + "/check?x=1", CA: ca, Secret: "shared"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = service.Close() })
	return service.For("example.org")
}

func TestCheck(t *testing.T) {
	t.Parallel()
	h := serve(t, 20*time.Second, func(w http.ResponseWriter, r *http.Request) {
		var q map[string]string
		body, _ := io.ReadAll(r.Body)
		if err := json.Unmarshal(body, &q); err != nil || r.Method != http.MethodPost || r.URL.RequestURI() != "/check?x=1" ||
			r.Header.Get("Authorization") != "Bearer shared" || r.Header.Get("Content-Type") != "application/json" || q["host"] != "example.org" {
			t.Errorf("%s %s %v %s", r.Method, r.URL, r.Header, body)
		}
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		_, secret := q["password"]
		if known := q["username"] == "ann"; secret != (q["action"] == "check") || q["action"] == "check" && q["password"] != "p\"\\ä\x01" || !known {
			_, _ = io.WriteString(w, `{"ok": false, "why": "whatever"}`)
			return
		}
		_, _ = io.WriteString(w, `{"ok": true, "id": "4711"}`)
	})
	for _, c := range []struct {
		name, password string
		ok             bool
	}{{"ann", "p\"\\ä\x01", true}, {"ann", "wrong", false}, {"ann", "", false}, {"bob", "p\"\\ä\x01", false}} {
		p, err := h.CheckPassword(t.Context(), c.name, c.password)
		if c.ok && (err != nil || p != identity.Person{Subject: "id 4711", Name: "ann"}) || !c.ok && !errors.Is(err, sasl.ErrRefused) {
			t.Errorf("%+v: %+v %v", c, p, err)
		}
	}
	if p, err := h.Find(t.Context(), "ann"); err != nil || p.Subject != "id 4711" {
		t.Error(p, err)
	}
	if _, err := h.Find(t.Context(), "bob"); !errors.Is(err, sasl.ErrRefused) {
		t.Error(err)
	}
}

// Only the answer that is documented accepts or refuses.
func TestHostileAnswers(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status       int
		kind, answer string
	}{
		"no object":       {200, "application/json", `true`},
		"list":            {200, "application/json", `[{"ok":true}]`},
		"no ok":           {200, "application/json", `{}`},
		"null":            {200, "application/json", `{"ok":null}`},
		"text":            {200, "application/json", `{"ok":"true"}`},
		"two":             {200, "application/json", `{"ok":true}{"ok":true}`},
		"cut":             {200, "application/json", `{"ok":true`},
		"HTML":            {200, "text/html", `{"ok":true}`},
		"empty id":        {200, "application/json", `{"ok":true,"id":""}`},
		"long id":         {200, "application/json", `{"ok":true,"id":"` + strings.Repeat("x", maxID+1) + `"}`},
		"number":          {200, "application/json", `{"ok":true,"id":4711}`},
		"endless":         {200, "application/json", `{"ok":true,"x":"` + strings.Repeat("x", maxAnswer) + `"}`},
		"deep":            {200, "application/json", `{"ok":true,"x":` + strings.Repeat("[", 30000) + strings.Repeat("]", 30000) + `}`},
		"not found":       {404, "application/json", `{"ok":true}`},
		"created":         {201, "application/json", `{"ok":true}`},
		"forbidden":       {403, "application/json", `{"ok":false}`},
		"error":           {500, "application/json", `{"ok":false}`},
		"redirection":     {307, "application/json", `{"ok":true}`},
		"redirection GET": {302, "application/json", `{"ok":true}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			asked := 0
			h := serve(t, 20*time.Second, func(w http.ResponseWriter, r *http.Request) {
				if asked++; asked > 1 {
					t.Error("a redirection was followed")
				}
				w.Header().Set("Location", "/elsewhere")
				w.Header().Set("Content-Type", c.kind)
				w.WriteHeader(c.status)
				_, _ = io.WriteString(w, c.answer)
			})
			_, err := h.CheckPassword(t.Context(), "ann", "pencil")
			if name == "deep" { // encoding/json refuses more than 10,000 levels
				if err == nil {
					t.Error("accepted")
				}
				return
			}
			if err == nil || errors.Is(err, sasl.ErrRefused) || strings.Contains(err.Error(), "pencil") || strings.Contains(err.Error(), "shared") {
				t.Error(err)
			}
		})
	}
}

func TestSlowService(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	h := serve(t, 100*time.Millisecond, func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-release:
		case <-r.Context().Done():
		}
	})
	defer close(release)
	if _, err := h.CheckPassword(t.Context(), "ann", "pencil"); err == nil || errors.Is(err, sasl.ErrRefused) {
		t.Error(err)
	}
}

func TestUnknownCertificate(t *testing.T) {
	t.Parallel()
	h := serve(t, 20*time.Second, func(w http.ResponseWriter, _ *http.Request) { t.Error("the password was sent") })
	s, err := New(config.HTTPCheck{Backend: h.service.settings.Backend, URL: h.service.settings.URL, Secret: "shared"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.For("example.org").CheckPassword(t.Context(), "ann", "pencil"); err == nil || errors.Is(err, sasl.ErrRefused) {
		t.Error(err)
	}
}

func FuzzAnswer(f *testing.F) {
	f.Add(`{"ok": true, "id": "4711"}`)
	f.Add(`{"ok": false}`)
	f.Fuzz(func(t *testing.T, answer string) {
		p, err := read(strings.NewReader(answer), "ann")
		if err == nil && (p.Subject == "" || p.Name != "ann") {
			t.Errorf("%+v", p)
		}
	})
}
