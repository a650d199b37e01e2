package sasl

import "testing"

// The budgets are 3 ms for a login with PLAIN and 0.3 ms for one with SCRAM.

func BenchmarkPlain(b *testing.B) {
	c, err := NewCredentials("pencil", DefaultIterations)
	if err != nil {
		b.Fatal(err)
	}
	s := server(b, users{"alice": c})
	for b.Loop() {
		x, _ := s.Begin(Plain, Conn{TLS: true})
		if _, _, err := x.Step(b.Context(), []byte("\x00alice\x00pencil")); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkScram measures the server's work in a login. The proof is wrong, which costs the same as a right one.
func BenchmarkScram(b *testing.B) {
	s := server(b, users{"alice": credentials(b, "pencil")})
	for b.Loop() {
		x, _ := s.Begin(ScramSHA256, bound)
		out, _, err := x.Step(b.Context(), []byte("n,,n=alice,r=cnonce"))
		if err != nil {
			b.Fatal(err)
		}
		nonce := string(out[:len("r=cnonce")+32])
		if _, _, err = x.Step(b.Context(), []byte("c=biws,"+nonce+",p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=")); !is(err, NotAuthorized) {
			b.Fatal(err)
		}
	}
}

func BenchmarkNewCredentials(b *testing.B) {
	for b.Loop() {
		if _, err := NewCredentials("pencil", DefaultIterations); err != nil {
			b.Fatal(err)
		}
	}
}
