package sasl

import (
	"crypto/pbkdf2"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
	"testing"
)

// client is a SCRAM client whose test controls every field of its messages.
type client struct {
	hash                 Hash
	user, password       string
	header, binding      string
	nonce                string
	first, challenge     string
	extensions           string
	spoilNonce, spoilGS2 bool
}

func newClient(h Hash, user, password string) *client {
	return &client{hash: h, user: user, password: password, header: "n,,", nonce: "cnonce"}
}

func (c *client) begin() []byte {
	c.first = "n=" + c.user + ",r=" + c.nonce
	return []byte(c.header + c.first)
}

// finish answers the challenge and returns what the server must answer.
func (c *client) finish(t testing.TB, challenge []byte) (final []byte, want string) {
	t.Helper()
	c.challenge = string(challenge)
	var nonce, salt string
	var iterations int
	for f := range strings.SplitSeq(c.challenge, ",") {
		switch f[:2] {
		case "r=":
			nonce = f[2:]
		case "s=":
			salt = f[2:]
		case "i=":
			iterations, _ = strconv.Atoi(f[2:])
		}
	}
	if !strings.HasPrefix(nonce, c.nonce) || len(nonce) < len(c.nonce)+22 { // 128 bit at least
		t.Fatalf("nonce %q", nonce)
	}
	if c.spoilNonce {
		nonce += "x"
	}
	raw, err := base64.StdEncoding.DecodeString(salt)
	if err != nil {
		t.Fatal(err)
	}
	salted, err := pbkdf2.Key(c.hash.new(), c.password, raw, iterations, c.hash.size())
	if err != nil {
		t.Fatal(err)
	}
	header := c.header
	if c.spoilGS2 {
		header = "y,,"
	}
	without := "c=" + base64.StdEncoding.EncodeToString([]byte(header+c.binding)) + ",r=" + nonce + c.extensions
	auth := c.first + "," + c.challenge + "," + without
	key := mac(c.hash, salted, "Client Key")
	stored := c.hash.new()()
	stored.Write(key)
	proof := make([]byte, len(key))
	subtle.XORBytes(proof, key, mac(c.hash, stored.Sum(nil), auth))
	want = "v=" + base64.StdEncoding.EncodeToString(mac(c.hash, mac(c.hash, salted, "Server Key"), auth))
	return []byte(without + ",p=" + base64.StdEncoding.EncodeToString(proof)), want
}

// login logs the client in.
func (c *client) login(t testing.TB, s *Server, mechanism string, conn Conn) (Identity, error) {
	t.Helper()
	x, err := s.Begin(mechanism, conn)
	if err != nil {
		return Identity{}, err
	}
	challenge, done, err := x.Step(t.Context(), c.begin())
	if err != nil {
		return Identity{}, err
	}
	if done {
		t.Fatal("done without a proof")
	}
	final, want := c.finish(t, challenge)
	out, done, err := x.Step(t.Context(), final)
	id, ok := x.Identity()
	if err != nil {
		if ok || out != nil || done {
			t.Fatal("an identity after a failure")
		}
		return Identity{}, err
	}
	if string(out) != want || !done || !ok {
		t.Fatalf("the server does not know the password: %s, %s", out, want)
	}
	if _, _, err := x.Step(t.Context(), final); !is(err, MalformedRequest) {
		t.Fatal("a repeated message was accepted:", err)
	}
	return id, nil
}

var scrams = map[string]Hash{ScramSHA1: SHA1, ScramSHA256: SHA256, ScramSHA512: SHA512}

var bound = Conn{TLS: true, Bindings: []Binding{{BindExporter, []byte("exported")}, {BindEndPoint, []byte("certified")}}}

func TestScram(t *testing.T) { // checklist 26
	t.Parallel()
	s := server(t, users{"alice": credentials(t, "pencil"), "a,b=c": credentials(t, "pencil")})
	for name, h := range scrams {
		for _, c := range []struct {
			what  string
			set   func(*client)
			plus  bool
			conn  Conn
			wants Condition
		}{
			{"plain", func(*client) {}, false, Conn{}, ""},
			{"under TLS", func(*client) {}, false, bound, ""},
			{"y without an offer", func(c *client) { c.header = "y,," }, false, Conn{TLS: true}, ""},
			{"y in spite of an offer", func(c *client) { c.header = "y,," }, false, bound, NotAuthorized},
			{"bound", func(c *client) { c.header, c.binding = "p=tls-exporter,,", "exported" }, true, bound, ""},
			{"bound to the certificate", func(c *client) { c.header, c.binding = "p=tls-server-end-point,,", "certified" }, true, bound, ""},
			{"wrong data", func(c *client) { c.header, c.binding = "p=tls-exporter,,", "another" }, true, bound, NotAuthorized},
			{"no data", func(c *client) { c.header = "p=tls-exporter,," }, true, bound, NotAuthorized},
			{"tls-unique", func(c *client) { c.header, c.binding = "p=tls-unique,,", "exported" }, true, bound, NotAuthorized},
			{"p without PLUS", func(c *client) { c.header, c.binding = "p=tls-exporter,,", "exported" }, false, bound, NotAuthorized},
			{"PLUS with n", func(*client) {}, true, bound, NotAuthorized},
			{"PLUS with y", func(c *client) { c.header = "y,," }, true, bound, NotAuthorized},
			{"PLUS without a binding", func(c *client) { c.header = "p=tls-exporter,," }, true, Conn{TLS: true}, InvalidMechanism},
			{"header changed later", func(c *client) { c.spoilGS2 = true }, false, Conn{}, NotAuthorized},
			{"nonce changed", func(c *client) { c.spoilNonce = true }, false, Conn{}, NotAuthorized},
			{"wrong password", func(c *client) { c.password = "pencils" }, false, Conn{}, NotAuthorized},
			{"nobody", func(c *client) { c.user = "bob" }, false, Conn{}, NotAuthorized},
			{"no localpart", func(c *client) { c.user = "al@ice" }, false, Conn{}, NotAuthorized},
			{"other case", func(c *client) { c.user = "ALICE" }, false, Conn{}, ""},
			{"own authzid", func(c *client) { c.header = "n,a=alice@example.org," }, false, Conn{}, ""},
			{"authzid of another", func(c *client) { c.header = "n,a=bob@example.org," }, false, Conn{}, InvalidAuthzid},
			{"authzid of another host", func(c *client) { c.header = "n,a=alice@example.com," }, false, Conn{}, InvalidAuthzid},
			{"full authzid", func(c *client) { c.header = "n,a=alice@example.org/x," }, false, Conn{}, InvalidAuthzid},
			{"bad authzid", func(c *client) { c.header = "n,a=@," }, false, Conn{}, InvalidAuthzid},
			{"extension", func(c *client) { c.extensions = ",x=1,Y=a=b" }, false, Conn{}, ""},
			{"mandatory extension", func(c *client) { c.extensions = ",m=1" }, false, Conn{}, MalformedRequest},
		} {
			cl := newClient(h, "alice", "pencil")
			c.set(cl)
			mechanism := name
			if c.plus {
				mechanism += plus
			}
			id, err := cl.login(t, s, mechanism, c.conn)
			if c.wants != "" && !is(err, c.wants) || c.wants == "" && (err != nil || id.JID.String() != "alice@example.org" || id.Mechanism != mechanism) {
				t.Errorf("%s, %s: %+v %v", mechanism, c.what, id, err)
			}
			if c.wants == "" && c.plus && (id.Binding == "" || !strings.Contains(cl.header, id.Binding)) {
				t.Errorf("%s, %s: bound to %q", mechanism, c.what, id.Binding)
			}
		}
	}
}

// A name is escaped on the wire and not in the store. No localpart contains '=' alone but
// it may contain ','.
func TestScramEscapes(t *testing.T) {
	t.Parallel()
	s := server(t, users{"a,b=c": credentials(t, "pencil")})
	id, err := newClient(SHA256, "a=2Cb=3Dc", "pencil").login(t, s, ScramSHA256, Conn{})
	if err != nil || id.JID.Local() != "a,b=c" {
		t.Error(id, err)
	}
	for _, user := range []string{"a=2cb", "a=", "a=3", "a==3D"} {
		if _, err := newClient(SHA256, user, "pencil").login(t, s, ScramSHA256, Conn{}); !is(err, MalformedRequest) {
			t.Errorf("%s: %v", user, err)
		}
	}
}

func TestScramMalformed(t *testing.T) { // checklist 28
	t.Parallel()
	s := server(t, users{"alice": credentials(t, "pencil")})
	long := strings.Repeat("x", 10_000)
	for _, first := range []string{
		"", ",", "n", "n,", "n,,", "n,,n=alice", "n,,r=x", "n,,n=,r=x", "n,,n=alice,r=", "n,,n=alice,r=a\x7fb", "n,,n=alice,r=é", "n,,r=x,n=alice", "x,,n=alice,r=x", "p,,n=alice,r=x", "p=,,n=alice,r=x",
		"p=a b,,n=alice,r=x", "nn,,n=alice,r=x", "n,x,n=alice,r=x", "n,a=,n=alice,r=x", "n,a=b=2,n=alice,r=x", "n,,m=1,n=alice,r=x", "n,,n=alice,r=x,m=1", "n,,n=alice,r=x,", "n,,n=alice,r=x,1=2", "n,,n=alice,r=x,y=",
		"n,,n=al\x00ice,r=x", "n,,n=\xff,r=x", "n,,n=" + long + ",r=x", "n,,n=alice,r=" + long, "N,,n=alice,r=x", " n,,n=alice,r=x",
	} {
		x, _ := s.Begin(ScramSHA256, Conn{})
		if _, _, err := x.Step(t.Context(), []byte(first)); !is(err, MalformedRequest) {
			t.Errorf("%.40q: %v", first, err)
		}
	}
	for _, spoil := range []func(string) string{
		func(string) string { return "" }, func(string) string { return "c=biws" }, func(f string) string { return f[2:] }, func(f string) string { return strings.Replace(f, "c=biws", "c=bi ws", 1) },
		func(f string) string { return strings.Replace(f, "c=biws", "c=bix=", 1) }, func(f string) string { return strings.Replace(f, ",p=", ",p=A", 1) }, func(f string) string { return f + ",x=1" }, func(f string) string { return f[:strings.Index(f, ",p=")] },
		func(f string) string { return f[:strings.Index(f, ",p=")] + ",p=" }, func(f string) string { return f[:strings.Index(f, ",p=")] + ",p=AAAA" }, func(f string) string { return strings.Replace(f, ",p=", ",p=\n", 1) },
		func(f string) string { return strings.Replace(f, ",r=", ",q=", 1) }, func(f string) string { return f + "\x00" }, func(f string) string { return f + "\xff" }, func(f string) string { return f + strings.Repeat(",x=1", 5000) },
	} {
		c := newClient(SHA256, "alice", "pencil")
		x, _ := s.Begin(ScramSHA256, Conn{})
		challenge, _, err := x.Step(t.Context(), c.begin())
		if err != nil {
			t.Fatal(err)
		}
		final, _ := c.finish(t, challenge)
		bad := spoil(string(final))
		if _, _, err := x.Step(t.Context(), []byte(bad)); !is(err, MalformedRequest) {
			t.Errorf("%.60q: %v", bad, err)
		}
		if _, _, err := x.Step(t.Context(), final); !is(err, MalformedRequest) {
			t.Error("a second proof in one exchange was checked:", err)
		}
	}
}

// Openfire OF-3258: a name without an account has a salt that stays the same and the iterations of the
// accounts, and fails at the same step with the same text.
func TestOF3258_UnknownUsers(t *testing.T) {
	t.Parallel()
	real := credentials(t, "pencil")
	s := server(t, users{"alice": real})
	again := server(t, users{})
	show := func(s *Server, mechanism, user string) (salt, iterations string) {
		x, err := s.Begin(mechanism, Conn{})
		if err != nil {
			t.Fatal(err)
		}
		out, _, err := x.Step(t.Context(), []byte("n,,n="+user+",r=x"))
		if err != nil {
			t.Fatal(err)
		}
		f := strings.Split(string(out), ",")
		return f[1], f[2]
	}
	seen := map[string]string{}
	for name := range scrams {
		realSalt, realIterations := show(s, name, "alice")
		for _, user := range []string{"bob", "carol", "no@localpart"} {
			salt, iterations := show(s, name, user)
			if same, _ := show(again, name, user); same != salt {
				t.Errorf("%s of %s changes with a restart", salt, user)
			}
			if len(salt) != len(realSalt) || iterations != realIterations {
				t.Errorf("%s %s can be distinguished from %s %s", salt, iterations, realSalt, realIterations)
			}
			if other := seen[salt]; other != "" {
				t.Errorf("%s is of %s and of %s in %s", salt, other, user, name)
			}
			seen[salt] = user
		}
		if a, _ := show(s, name, "BOB"); seen[a] != "bob" {
			t.Error("the salt of alice depends on the case of the name")
		}
	}
	other, err := NewServer(Config{Host: s.cfg.Host, Accounts: users{}, Secret: []byte("another secret, also long")})
	if err != nil {
		t.Fatal(err)
	}
	if salt, _ := show(other, ScramSHA1, "bob"); seen[salt] != "" {
		t.Error("salts do not depend on the secret")
	}
}

// An account that was imported with one hash only can log in with it and with PLAIN.
func TestAccountOfOneHash(t *testing.T) {
	t.Parallel()
	c := credentials(t, "pencil")
	c.Keys[SHA256], c.Keys[SHA512] = Key{}, Key{}
	broken := credentials(t, "pencil")
	broken.Keys[SHA256].StoredKey = broken.Keys[SHA256].StoredKey[:4]
	s := server(t, users{"alice": c, "empty": {}, "broken": broken})
	if _, err := newClient(SHA1, "alice", "pencil").login(t, s, ScramSHA1, Conn{}); err != nil {
		t.Error(err)
	}
	if _, err := newClient(SHA256, "alice", "pencil").login(t, s, ScramSHA256, Conn{}); !is(err, NotAuthorized) {
		t.Error(err)
	}
	if _, err := plainLogin(t, s, "\x00alice\x00pencil"); err != nil {
		t.Error(err)
	}
	for _, user := range []string{"empty", "broken"} {
		if _, err := newClient(SHA256, user, "pencil").login(t, s, ScramSHA256, Conn{}); !is(err, NotAuthorized) {
			t.Error(user, err)
		}
	}
	if _, err := plainLogin(t, s, "\x00empty\x00pencil"); !is(err, NotAuthorized) {
		t.Error(err)
	}
}

func TestSeparateSalts(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for range 2 {
		c := credentials(t, "pencil")
		for _, k := range c.Keys {
			seen[string(k.Salt)] = true
		}
	}
	if len(seen) != 6 {
		t.Error("salts repeat")
	}
	nonces := map[string]bool{}
	for range 100 {
		n := newNonce()
		if !isNonce(n) || len(n) != 32 {
			t.Fatal(n)
		}
		nonces[n] = true
	}
	if len(nonces) != 100 {
		t.Error("nonces repeat")
	}
}

func plainLogin(t testing.TB, s *Server, in string) (Identity, error) {
	t.Helper()
	x, err := s.Begin(Plain, Conn{TLS: true})
	if err != nil {
		t.Fatal(err)
	}
	out, done, err := x.Step(t.Context(), []byte(in))
	id, ok := x.Identity()
	if ok != (err == nil) || done != (err == nil) || out != nil {
		t.Fatal(fmt.Sprint(id, ok, done, out, err))
	}
	return id, err
}
