package stream

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// A peer that sends an element slowly, or only a part of it, is ended by the time limit; one that is silent between elements is not, and neither
// is the time counted in which this side does not read.
func TestSlowElement(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		parts  []string
		every  time.Duration
		handle time.Duration // how long each message is handled
		late   bool
	}{
		"one byte a second":      {strings.Split("<message><body>"+strings.Repeat("x", 60), ""), time.Second, 0, true},
		"a part":                 {[]string{"<message><bo"}, time.Second, 0, true},
		"part of a tag":          {[]string{"<"}, time.Second, 0, true},
		"white space":            {strings.Split(strings.Repeat(" ", 60), ""), time.Second, 0, false},
		"complete ones":          {strings.Split(strings.Repeat("<message/>|", 60), "|"), time.Second, 0, false},
		"each a little slow":     {strings.Split(strings.Repeat("<message>|</message>|", 30), "|"), 20 * time.Second, 0, false},
		"while others are read":  {[]string{"<message/><message/><mess", "age/>"}, time.Second, 25 * time.Second, false},
		"in two parts, too late": {[]string{"<message>", "</message>"}, 40 * time.Second, 0, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				config := testConfig()
				config.Element, config.Idle = 30*time.Second, time.Hour
				r, peer := pipeConn(t, config)
				r.receive = func(*Item) error {
					time.Sleep(c.handle)
					return nil
				}
				result := make(chan error, 1)
				go func() {
					result <- r.Run()
					_ = peer.Conn.Close()
				}()
				go func() { _, _ = peer.Conn.Read(make([]byte, 10_000)) }()
				peer.Send(fuzzHead + establish)
				for _, part := range c.parts {
					if part != "" {
						_, _ = peer.Conn.Write([]byte(part))
					}
					time.Sleep(c.every)
				}
				time.Sleep(31 * time.Second)
				synctest.Wait()
				select {
				case err := <-result:
					if !c.late || !errors.Is(err, ErrSlowElement) {
						t.Errorf("ended by %v", err)
					}
				default:
					if c.late {
						t.Error("has not ended")
					}
				}
				_ = peer.Conn.Close()
			})
		})
	}
}
