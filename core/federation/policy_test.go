package federation

import (
	"testing"

	"github.com/dragoman-im/dragoman/config"
	"github.com/dragoman-im/dragoman/core/s2s"
)

// A row decides before the lists, at whatever level they name domains; block comes before allow, and both before the default.
func TestPolicyOrder(t *testing.T) {
	t.Parallel()
	c := config.Default()
	c.Federation.Allow = []string{"a.test", "chat.strict.test", "closed.shut.test", "good.bad.test", "both.test"}
	c.Federation.Block = []string{"x.a.test", "bad.test", "both.test", "spam.open.test"}
	c.Remotes = []config.FederationDomain{
		{Domain: "strict.test", Certificate: true},
		{Domain: "shut.test", Access: "block"},
		{Domain: "open.test", Access: "allow", Plain: true},
		{Domain: "worse.open.test", Access: "block"},
		{Domain: "old.a.test", Plain: true},
		{Domain: "bad.both.test", Access: "allow"},
	}
	p, err := policy(c)
	if err != nil {
		t.Fatal(err)
	}
	for domain, want := range map[string]s2s.Rule{
		"other.test":            {Refused: true},                     // the default, as there are allowed domains
		"a.test":                {},                                  // allowed
		"rooms.a.test":          {},                                  // below it
		"x.a.test":              {Refused: true},                     // the longer name
		"strict.test":           {Refused: true, Certificates: true}, // a row that does not say whether
		"chat.strict.test":      {Certificates: true},                // allowed, as the row says
		"shut.test":             {Refused: true},                     // a row
		"closed.shut.test":      {Refused: true},                     // the row, not the list
		"open.test":             {Plain: true},                       // a row
		"spam.open.test":        {Plain: true},                       // the row, not the list
		"worse.open.test":       {Refused: true},                     // the row with the longer name
		"rooms.worse.open.test": {Refused: true},
		"old.a.test":            {Plain: true},   // allowed above, with a row of its own
		"bad.test":              {Refused: true}, // blocked
		"good.bad.test":         {},              // the longer name
		"both.test":             {Refused: true}, // block before allow
		"bad.both.test":         {},              // a row
	} {
		if got := p.Rule(domain); got != want {
			t.Errorf("%s: %+v, want %+v", domain, got, want)
		}
	}
}

// Without a list of allowed domains the default is to communicate.
func TestPolicyDefault(t *testing.T) {
	t.Parallel()
	c := config.Default()
	c.Federation.Block = []string{"bad.test"}
	p, err := policy(c)
	if err != nil {
		t.Fatal(err)
	}
	if p.Rule("any.test").Refused || !p.Rule("x.bad.test").Refused {
		t.Errorf("%+v", p)
	}
}

// The limits of a row are for all domains below it, together, unless another row names one of them.
func TestPolicyLimits(t *testing.T) {
	t.Parallel()
	c := config.Default()
	c.Federation.Block = []string{"bad.big.test"}
	c.Remotes = []config.FederationDomain{{Domain: "big.test", StanzaRate: 100}, {Domain: "own.big.test"}}
	p, err := policy(c)
	if err != nil {
		t.Fatal(err)
	}
	big := p.Rule("big.test").Limits
	if big == nil || p.Rule("rooms.big.test").Limits != big || p.Rule("bad.big.test").Limits != big {
		t.Errorf("%+v", p)
	}
	if p.Rule("own.big.test").Limits != nil || p.Rule("other.test").Limits != nil {
		t.Errorf("%+v", p)
	}
}
