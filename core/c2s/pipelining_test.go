package c2s

import (
	"strings"
	"testing"
)

func configVersion(value string) string {
	return "<config-version xmlns='urn:xmpp:iap:0' scheme='opaque' value='" + value + "'/>"
}

// A client that goes by features which it has seen before sends its login with the header of the stream (XEP-0509).
func TestConfigVersion(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, nil)
	version := func(features string) string {
		_, version, _ := strings.Cut(features, "<config-version xmlns='urn:xmpp:iap:0' scheme='opaque' value='")
		version, _, _ = strings.Cut(version, "'")
		return version
	}
	first, offered := p.secure("home.test")
	seen := version(offered)
	if len(seen) < 16 || !strings.Contains(offered, "<pipelining xmlns='urn:xmpp:features:pipelining'/>") {
		t.Fatalf("offered %q", offered)
	}
	first.Send(plain2("romeo", configVersion(seen)))
	first.success2()
	secured := func() *client {
		c := p.dial()
		c.features("home.test")
		c.startTLS()
		return c
	}
	c := secured()
	c.Send(open("home.test") + plain2("romeo", bind2("x"), configVersion(seen)) + chatMessage("romeo@home.test", "to nobody") + "<presence/>")
	c.success2()
	// Another value is no failed login: the client chooses anew by what it has been sent meanwhile.
	c = secured()
	c.Send(open("home.test"))
	for range 5 { // more than may fail
		c.Send(plain2("romeo", bind2("x"), configVersion("b2xk")))
		c.Until(staleVersion)
	}
	if n := p.server.Counters.LoginsFailed.Load(); n != 0 {
		t.Errorf("%d failed logins", n)
	}
	c.Send(plain2("romeo", bind2("x"), configVersion(seen)))
	c.success2()
	// The features of another host or with other limits have another version; those before TLS have none.
	_, other := p.secure("other.test")
	limits := *p.server.limits()
	limits.BeforeLogin.Bytes = 20_000
	p.server.SetLimits(limits)
	_, changed := p.secure("home.test")
	if version(changed) == seen || !strings.Contains(changed, "<max-bytes>20000</max-bytes>") {
		t.Errorf("offered %q", changed)
	}
	if version(other) == "" || strings.Contains(p.dial().features("home.test"), "config-version") {
		t.Error("versions of other features")
	}
}
