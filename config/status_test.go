package config

import "testing"

func TestStatusAddresses(t *testing.T) {
	t.Parallel()
	for address, ok := range map[string]bool{
		"https://status.example.net/a.json": true, "http://status.example.net/a.json": true, "status.example.net": false, "": false,
		"file:///etc/passwd": false, "https:///a.json": false, "xmpp:a@b": false,
	} {
		c := Default()
		c.Status.Addresses = []string{address}
		var p Problems
		c.Status.validate(&p)
		if (len(p) == 0) != ok {
			t.Errorf("%q: %v", address, p)
		}
	}
}
