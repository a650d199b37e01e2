package server

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/config"
)

// An administrator stops or restarts the server: the last order counts. Clients get system-shutdown.
func TestStopByAdministrator(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		order func(s *Server)
		want  error
	}{
		"stop":                       {func(s *Server) { s.stopAfter(0, false) }, nil},
		"restart":                    {func(s *Server) { s.stopAfter(0, true) }, ErrRestart},
		"restart, then stop at once": {func(s *Server) { s.stopAfter(time.Hour, true); s.stopAfter(0, false) }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			parsed, err := config.Parse(fmt.Appendf(nil, settings, t.TempDir(), "", "", "", "", ""), "", nil)
			if err != nil {
				t.Fatal(err)
			}
			s, err := New(t.Context(), parsed, Options{})
			if err != nil {
				t.Fatal(err)
			}
			done := make(chan error, 1)
			go func() { done <- s.Run(context.Background()) }()
			c.order(s)
			if err := <-done; !errors.Is(err, c.want) || c.want == nil && err != nil {
				t.Errorf("run: %v", err)
			}
		})
	}
}

// XEP-0133 §4.30: who is online is told, and is disconnected at the end of the delay.
func TestShutdownCommand(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, extra{server: `admins = ["nurse@home.test"]`})
	nurse, romeo := p.online("nurse"), p.online("romeo")
	const start = "<command xmlns='http://jabber.org/protocol/commands' node='http://jabber.org/protocol/admin#shutdown'"
	form := nurse.ask("set", "home.test", start+"/>")
	_, session, _ := strings.Cut(form, "sessionid='")
	session, _, _ = strings.Cut(session, "'")
	nurse.Send("<iq type='set' id='go' to='home.test'>" + start + " sessionid='" + session + "'><x xmlns='jabber:x:data' type='submit'>" +
		"<field var='delay'><value>0</value></field><field var='announcement'><value>Good night</value></field></x></command></iq>")
	if got := romeo.Until("</stream:stream>"); !strings.Contains(got, "<body>Good night</body>") || !strings.Contains(got, "<system-shutdown ") {
		t.Errorf("romeo got %q", got)
	}
	nurse.Until("status='completed'")
	nurse.rest()
}
