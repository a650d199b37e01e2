package webapi

import (
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"
)

// What an answer means, also where a value of it has another type.
func TestAnswers(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status     int
		body       string
		code       string
		nonsense   bool
		user, next string
	}{
		"success":               {200, `{"ok":true,"user":"ben","response_metadata":{"next_cursor":"n"}}`, "", false, "ben", "n"},
		"refused":               {200, `{"ok":false,"error":"not_in_channel"}`, "not_in_channel", false, "", ""},
		"refused with a status": {403, `{"ok":false,"error":"invalid_auth"}`, "invalid_auth", false, "", ""},
		"ok as a text":          {200, `{"ok":"true","user":"ben"}`, "", false, "ben", ""},
		"ok is a list":          {200, `{"ok":[],"user":"ben"}`, "", false, "ben", ""},
		"ok is a list, error":   {200, `{"ok":[],"error":"not_in_channel"}`, "not_in_channel", false, "", ""},
		"error is a list":       {200, `{"ok":false,"error":[]}`, "unknown_error", false, "", ""},
		"odd values":            {200, `{"ok":true,"user":{},"response_metadata":[]}`, "", false, "", ""},
		"no ok":                 {200, `{"user":"ben"}`, "", true, "", ""},
		"a proxy's page":        {200, `<html>`, "", true, "", ""},
		"cut":                   {200, `{"ok":true,"us`, "", true, "", ""},
		"a list":                {200, `[]`, "", true, "", ""},
		"a warning with ok":     {200, `{"ok":true,"error":"","user":"ben"}`, "", false, "ben", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(c.status)
				_, _ = io.WriteString(w, c.body)
			}))
			defer server.Close()
			var out struct {
				User string `json:"user"`
				Page
			}
			_, err := New(server.Client(), server.URL+"/", "x", slog.New(slog.DiscardHandler)).Call(t.Context(), "auth.test", url.Values{}, &out)
			if Code(err) != c.code || errors.Is(err, ErrNonsense) != c.nonsense || (err == nil) != (c.code == "" && !c.nonsense) || out.User != c.user || out.Next() != c.next {
				t.Errorf("%v, %+v", err, out)
			}
		})
	}
}

func TestRateLimit(t *testing.T) {
	t.Parallel()
	for after, want := range map[string]time.Duration{"30": 30 * time.Second, "": time.Second, "x": time.Second, "999999999999": maxAfter} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", after)
			w.WriteHeader(http.StatusTooManyRequests)
		}))
		_, err := New(server.Client(), server.URL+"/", "x", slog.New(slog.DiscardHandler)).Call(t.Context(), "auth.test", nil, nil)
		var e *StatusError
		if !errors.As(err, &e) || e.After != want {
			t.Errorf("Retry-After %q: %v", after, err)
		}
		server.Close()
	}
}
