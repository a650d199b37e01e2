package dialback

import "testing"

// The examples of XEP-0185 §3 and XEP-0220 §2.1.1, §2.2.2.
func TestKeys(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ secret, receiving, originating, id, key string }{
		{"s3cr3tf0rd14lb4ck", "xmpp.example.com", "example.org", "D60000229F", "37c69b1cf07a3f67c04a5ef5902fa5114f2c76fe4a2686482ba5b89323075643"},
		{"s3cr3tf0rd14lb4ck", "montague.example", "capulet.example", "D60000229F", "b4835385f37fe2895af6c196b59097b16862406db80559900d96bf6fa7d23df3"},
		{"d14lb4ck43v3r", "capulet.example", "montague.example", "417GAF25", "225cc5aa6a071133249d25fef42ae516fc7a86c523aa1c6980a7f73e784c972d"},
	} {
		k := NewKeys([]byte(c.secret))
		got := k.Of(c.originating, c.receiving, c.id)
		valid := func(id, key string) bool { return k.Valid(c.originating, c.receiving, id, key) }
		if got != c.key || !valid(c.id, c.key) || valid(c.id+"x", c.key) || valid(c.id, "") {
			t.Errorf("%s: %s", c.receiving, got)
		}
	}
}

// CVE-2016-0756: the same characters of other domains make another key.
func TestCVE_2016_0756_Concatenation(t *testing.T) {
	t.Parallel()
	k := NewKeys([]byte("secret"))
	if k.Of("form.example.org", "example.in", "1") == k.Of("rm.example.org", "example.info", "1") {
		t.Error("one key for two pairs")
	}
	if k.Of("a.test", "b.test", "1") == k.Of("b.test", "a.test", "1") {
		t.Error("one key for both directions")
	}
}
