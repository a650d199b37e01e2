package main

import (
	"bufio"
	"bytes"
	"crypto/sha1"
	"crypto/tls"
	"encoding/hex"
	"encoding/pem"
	"io"
	"net"
	"os"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// Times of the scripts' commands.
const (
	scriptPatience = 60 * time.Second
	scriptPoll     = 10 * time.Millisecond
)

// chooseAddress puts a free address of the loopback into each variable: address C2S TLS.
func chooseAddress(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: address VARIABLE...")
	}
	for _, name := range args { // all are open until all are chosen, so that they differ
		l, err := net.Listen("tcp", "127.0.0.1:0")
		ts.Check(err)
		defer l.Close()
		ts.Setenv(name, l.Addr().String())
	}
}

// takeAddress listens on an address until the script ends: taken VARIABLE.
func takeAddress(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: taken VARIABLE")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	ts.Defer(func() { l.Close() })
	ts.Setenv(args[0], l.Addr().String())
	_, port, err := net.SplitHostPort(l.Addr().String())
	ts.Check(err)
	ts.Setenv(args[0]+"_PORT", port)
}

// waitReachable waits until somebody listens: reachable ADDRESS.
func waitReachable(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: reachable ADDRESS")
	}
	for deadline := time.Now().Add(scriptPatience); ; time.Sleep(scriptPoll) {
		conn, err := net.Dial("tcp", args[0])
		if err == nil {
			conn.Close()
			return
		}
		if time.Now().After(deadline) {
			ts.Fatalf("nobody listens on %s: %v", args[0], err)
		}
	}
}

// waitShown waits until a file, which a running program writes, has what a pattern wants: shows FILE PATTERN.
func waitShown(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: shows FILE PATTERN")
	}
	pattern, err := regexp.Compile("(?m)" + args[1])
	ts.Check(err)
	for deadline := time.Now().Add(scriptPatience); ; time.Sleep(scriptPoll) {
		text, err := os.ReadFile(ts.MkAbs(args[0]))
		if err == nil && pattern.Match(text) {
			return
		}
		if time.Now().After(deadline) {
			ts.Fatalf("%s does not show %s, but:\n%s (%v)", args[0], pattern, text, err)
		}
	}
}

// terminate tells the programs in the background to end, as service managers do.
func terminate(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 0 {
		ts.Fatalf("usage: terminate")
	}
	for _, c := range ts.BackgroundCmds() {
		ts.Check(c.Process.Signal(syscall.SIGTERM))
	}
}

// hangUp sends SIGHUP to the programs in the background: hangup.
func hangUp(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 0 {
		ts.Fatalf("usage: hangup")
	}
	for _, c := range ts.BackgroundCmds() {
		ts.Check(c.Process.Signal(syscall.SIGHUP))
	}
}

// waitServes waits until a listener has the certificate of a file: serves ADDRESS CERT.
func waitServes(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: serves ADDRESS CERT")
	}
	block, _ := pem.Decode([]byte(ts.ReadFile(args[1])))
	for deadline := time.Now().Add(scriptPatience); ; time.Sleep(scriptPoll) {
		conn, err := tls.Dial("tcp", args[0], &tls.Config{InsecureSkipVerify: true}) // it is compared
		if err == nil {
			have := conn.ConnectionState().PeerCertificates[0].Raw
			conn.Close()
			if bytes.Equal(have, block.Bytes) {
				return
			}
		}
		if time.Now().After(deadline) {
			ts.Fatalf("%s does not have the certificate of %s: %v", args[0], args[1], err)
		}
	}
}

// foreignServer is an XMPP server that takes components with the secret "right" for the domain
// slack.example.org, by hand (XEP-0114): foreign VARIABLE [ADDRESS].
func foreignServer(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 || len(args) > 2 {
		ts.Fatalf("usage: foreign VARIABLE [ADDRESS]")
	}
	l, err := net.Listen("tcp", append(args, "127.0.0.1:0")[1])
	ts.Check(err)
	var mu sync.Mutex
	var open []net.Conn
	done := make(chan struct{})
	ts.Defer(func() {
		l.Close()
		mu.Lock()
		for _, c := range open {
			c.Close()
		}
		mu.Unlock()
		<-done
	})
	ts.Setenv(args[0], l.Addr().String())
	go func() {
		defer close(done)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			open = append(open, conn)
			mu.Unlock()
			takeComponent(conn)
		}
	}()
}

const streamErrors = "xmlns='urn:ietf:params:xml:ns:xmpp-streams'"

// takeComponent goes through one handshake.
func takeComponent(conn net.Conn) {
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(scriptPatience)) // an error shows at the first read
	in := bufio.NewReader(conn)
	header := ""
	for !strings.Contains(header, "to=") {
		part, err := in.ReadString('>')
		if err != nil {
			return
		}
		header += part
	}
	const id = "3BF96D32"
	io.WriteString(conn, "<?xml version='1.0'?><stream:stream xmlns='jabber:component:accept' xmlns:stream='http://etherx.jabber.org/streams' from='slack.example.org' id='"+id+"'>")
	if !strings.Contains(header, "slack.example.org") {
		io.WriteString(conn, "<stream:error><host-unknown "+streamErrors+"/></stream:error></stream:stream>")
		return
	}
	hash := ""
	for !strings.Contains(hash, "</handshake>") {
		part, err := in.ReadString('>')
		if err != nil {
			return
		}
		hash += part
	}
	want := sha1.Sum([]byte(id + "right"))
	if !strings.Contains(hash, hex.EncodeToString(want[:])) {
		io.WriteString(conn, "<stream:error><not-authorized "+streamErrors+"/></stream:error></stream:stream>")
		return
	}
	io.WriteString(conn, "<handshake/>")
	_, _ = io.Copy(io.Discard, in) // until the component goes
	io.WriteString(conn, "</stream:stream>")
}
