package integration_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/integration/client"
	"github.com/dragoman-im/dragoman/integration/peers"
)

// uploadServer is a server whose files are at an address that clients on this machine can use.
func uploadServer(t *testing.T, settings string) *peers.Dragoman {
	t.Helper()
	return peers.StartDragoman(t, peers.Options{Setup: foreignSetup, LocalWeb: true, Settings: settings})
}

// slot is where a client may upload a file.
type slot struct{ url, authorization string }

func requestSlot(ctx context.Context, t *testing.T, conn *client.Conn, name string, size int64) slot {
	t.Helper()
	answer, err := request(ctx, conn, "get", "upload."+testHost, fmt.Sprintf("<request xmlns='urn:xmpp:http:upload:0' filename='%s' size='%d'/>", name, size))
	if err != nil {
		t.Fatal(err)
	}
	put := answer.Find("slot", "put")
	if put == nil {
		t.Fatalf("no slot: %s", answer)
	}
	return slot{put.Attr("url"), put.ChildText("header")}
}

// put uploads a file and returns the status.
func (s slot) put(ctx context.Context, size int64, content io.Reader) (int, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPut, s.url, content)
	if err != nil {
		return 0, err
	}
	r.ContentLength = size
	r.Header.Set("Authorization", s.authorization)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, err
	}
	return answer.StatusCode, answer.Body.Close()
}

// download returns the status of a file, and what follows it: a redirection's target too.
func download(ctx context.Context, t *testing.T, url string, header ...string) (status int, content []byte, from string) {
	t.Helper()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if content, err = io.ReadAll(answer.Body); err != nil {
		t.Error(err)
	}
	return answer.StatusCode, content, answer.Request.URL.Host
}

// noise is content that cannot be guessed.
func noise(size int64) io.Reader {
	return io.LimitReader(rand.NewChaCha8([32]byte{1}), size)
}

// TestSlixmppUploads has a client with a library that is not ours upload a file and send its address; the file is there after the
// server was killed.
func TestSlixmppUploads(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 2*peerTimeout)
	defer cancel()
	d := uploadServer(t, "")
	sally, simon := peers.StartSlixmpp(t), peers.StartSlixmpp(t)
	for i, s := range []*peers.Slixmpp{sally, simon} {
		if err := s.Login(ctx, &d.Server, foreignSetup.Accounts[i]); err != nil {
			t.Fatal(err)
		}
	}
	want, err := io.ReadAll(noise(3_000_000))
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "Grüße & more.png")
	if err := os.WriteFile(file, want, 0o600); err != nil {
		t.Fatal(err)
	}
	var sent struct{ URL string }
	if err := sally.Do(ctx, "upload", map[string]any{"to": "simon@" + testHost, "path": file}, &sent); err != nil {
		t.Fatal(err)
	}
	await(ctx, t, simon, messageWithBody(sent.URL, sally.JID))
	check := func() {
		t.Helper()
		if status, got, _ := download(ctx, t, sent.URL); status != 200 || !bytes.Equal(got, want) {
			t.Errorf("%d, %d bytes", status, len(got))
		}
	}
	check()
	d.Restart()
	check()
	if status, got, _ := download(ctx, t, sent.URL, "Range", "bytes=1000000-1000009"); status != 206 || !bytes.Equal(got, want[1_000_000:1_000_010]) {
		t.Errorf("a range: %d, %d bytes", status, len(got))
	}
}

// uploadMemory is how much more memory the server may take for an upload.
const uploadMemory = 32 << 20

// uploadBytesEnv names the variable with the size of the files of TestUploadMemory and TestSentFileMemory.
const uploadBytesEnv = "DRAGOMAN_TEST_UPLOAD"

func testedSize(t *testing.T, usual int64) int64 {
	t.Helper()
	text := os.Getenv(uploadBytesEnv)
	if text == "" {
		return usual
	}
	size, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return size
}

// TestUploadMemory uploads and downloads a large file; the server's memory does not grow with it.
func TestUploadMemory(t *testing.T) {
	t.Parallel()
	size := testedSize(t, 200<<20)
	ctx, cancel := context.WithTimeout(t.Context(), 4*peerTimeout)
	defer cancel()
	d := uploadServer(t, fmt.Sprintf("[upload]\nsize = \"%d B\"\ndaily = \"0 B\"\ntotal = \"0 B\"\n", size))
	conn, err := d.Dial(ctx, foreignSetup.Accounts[0], "")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Drop()
	small := requestSlot(ctx, t, conn, "small", 100_000)
	if status, err := small.put(ctx, 100_000, noise(100_000)); status != 201 || err != nil {
		t.Fatal(status, err)
	}
	download(ctx, t, small.url)
	before, err := d.Process().Usage()
	if err != nil {
		t.Fatal(err)
	}
	s := requestSlot(ctx, t, conn, "large", size)
	hash := sha256.New()
	begun := time.Now()
	status, err := s.put(ctx, size, io.TeeReader(noise(size), hash))
	if status != 201 || err != nil {
		t.Fatal(status, err)
	}
	t.Logf("%d MB were uploaded in %v", size/1_000_000, time.Since(begun).Round(time.Millisecond))
	answer, err := http.Get(s.url)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	got := sha256.New()
	if n, err := io.Copy(got, answer.Body); n != size || err != nil {
		t.Errorf("%d bytes, %v", n, err)
	}
	if hex.EncodeToString(got.Sum(nil)) != hex.EncodeToString(hash.Sum(nil)) {
		t.Error("what is downloaded is not what was uploaded")
	}
	after, err := d.Process().Usage()
	if err != nil {
		t.Fatal(err)
	}
	grown := after.Peak - before.Peak
	t.Logf("the peak of memory has grown by %d KiB, the server used %v of a processor", grown>>10, (after.CPU - before.CPU).Round(time.Millisecond))
	if grown > uploadMemory {
		t.Errorf("%d bytes more memory for a file of %d", grown, size)
	}
}

// TestUploadKilled kills the server in the middle of an upload: nothing of it is there afterwards, and what was acknowledged is.
func TestUploadKilled(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 2*peerTimeout)
	defer cancel()
	d := uploadServer(t, "")
	dial := func() *client.Conn {
		t.Helper()
		conn, err := d.Dial(ctx, foreignSetup.Accounts[0], "")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(conn.Drop)
		return conn
	}
	conn := dial()
	whole, part := requestSlot(ctx, t, conn, "whole", 5), requestSlot(ctx, t, conn, "part", 50_000_000)
	if status, err := whole.put(ctx, 5, strings.NewReader("whole")); status != 201 || err != nil {
		t.Fatal(status, err)
	}
	reader, writer := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		_, err := part.put(ctx, 50_000_000, reader)
		_ = reader.CloseWithError(io.ErrClosedPipe)
		ended <- err
	}()
	if _, err := io.CopyN(writer, noise(1_000_000), 1_000_000); err != nil {
		t.Fatal(err)
	}
	d.Restart()
	_ = writer.CloseWithError(io.ErrUnexpectedEOF)
	if err := <-ended; err == nil {
		t.Error("the upload has not failed")
	}
	if status, got, _ := download(ctx, t, whole.url); status != 200 || string(got) != "whole" {
		t.Errorf("%d %q", status, got)
	}
	if status, _, _ := download(ctx, t, part.url); status != 404 {
		t.Errorf("a part: %d", status)
	}
	if n := filesBelow(t, filepath.Join(d.Data, "uploads")); n != 1 {
		t.Errorf("%d files", n)
	}
	if status, err := part.put(ctx, 50_000_000, noise(50_000_000)); status != 201 || err != nil { // the slot is good still
		t.Error(status, err)
	}
}

func filesBelow(t *testing.T, dir string) (n int) {
	t.Helper()
	err := filepath.WalkDir(dir, func(_ string, e os.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			n++
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestUploadFaults has no file grow, and the disk be full: uploads and requests for slots fail with what says so, nothing is visible, and
// all goes on afterwards.
func TestUploadFaults(t *testing.T) {
	t.Parallel()
	for _, f := range writeFaults {
		if !f.file {
			continue
		}
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			f.skipUnlessFile(t)
			ctx, cancel := context.WithTimeout(t.Context(), 3*peerTimeout)
			defer cancel()
			o := peers.Options{Setup: foreignSetup, LocalWeb: true, Settings: "[upload]\nreserve = \"0 B\"\n"}
			if f.data != nil {
				o.Data = f.data(t)
			}
			d := peers.StartDragoman(t, o)
			conn, err := d.Dial(ctx, foreignSetup.Accounts[0], "")
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Drop()
			s := requestSlot(ctx, t, conn, "a", 100_000)
			end := f.start(ctx, t, d)
			defer end()
			if status, err := s.put(ctx, 100_000, noise(100_000)); status != http.StatusInsufficientStorage || err != nil {
				t.Errorf("upload: %d, %v", status, err)
			}
			if status, _, _ := download(ctx, t, s.url); status != 404 {
				t.Errorf("half a file: %d", status)
			}
			refused := false
			for range 100 { // the log of the database may have room for some
				answer, err := request(ctx, conn, "get", "upload."+testHost, "<request xmlns='urn:xmpp:http:upload:0' filename='b' size='100000'/>")
				if err != nil {
					t.Fatal(err)
				}
				if ok, err := accepted(answer); err != nil {
					t.Fatal(err)
				} else if refused = !ok; refused {
					break
				}
			}
			if !refused {
				t.Error("slots are given still")
			}
			end()
			for limit := time.Now().Add(peerTimeout); ; time.Sleep(10 * time.Millisecond) {
				status, err := s.put(ctx, 100_000, noise(100_000))
				if err == nil && status == 201 {
					break
				}
				if time.Now().After(limit) {
					t.Fatalf("afterwards: %d, %v", status, err)
				}
			}
			if status, got, _ := download(ctx, t, s.url); status != 200 || len(got) != 100_000 {
				t.Errorf("%d, %d bytes", status, len(got))
			}
		})
	}
}

// TestUploadsInS3 keeps files in another server's storage: streamed there, given out by this server or by the storage, and deleted with
// their account.
func TestUploadsInS3(t *testing.T) {
	t.Parallel()
	for _, redirect := range []bool{false, true} {
		t.Run(fmt.Sprintf("redirect %v", redirect), func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), 2*peerTimeout)
			defer cancel()
			storage := peers.StartS3(t)
			d := uploadServer(t, fmt.Sprintf("[upload]\ns3 = %q\ns3_bucket = %q\ns3_key = %q\ns3_secret = %q\ns3_redirect = %v\n",
				storage.URL, storage.Bucket, storage.Key, storage.Secret, redirect))
			conn, err := d.Dial(ctx, foreignSetup.Accounts[0], "")
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Drop()
			const size = 20_000_000
			want, err := io.ReadAll(noise(size))
			if err != nil {
				t.Fatal(err)
			}
			s, broken := requestSlot(ctx, t, conn, "Grüße.png", size), requestSlot(ctx, t, conn, "broken", size)
			if _, err := broken.put(ctx, size, io.MultiReader(noise(1_000_000), failing{})); err == nil {
				t.Error("half an upload was accepted")
			}
			if status, err := s.put(ctx, size, bytes.NewReader(want)); status != 201 || err != nil {
				t.Fatal(status, err)
			}
			if status, err := s.put(ctx, size, bytes.NewReader(want)); status != 409 || err != nil {
				t.Errorf("once more: %d, %v", status, err)
			}
			status, got, from := download(ctx, t, s.url)
			if status != 200 || !bytes.Equal(got, want) || strings.HasSuffix(storage.URL, from) != redirect {
				t.Errorf("%d, %d bytes from %s", status, len(got), from)
			}
			if status, got, _ := download(ctx, t, s.url, "Range", "bytes=10-19"); status != 206 || !bytes.Equal(got, want[10:20]) {
				t.Errorf("a range: %d, %d bytes", status, len(got))
			}
			if n := filesBelow(t, storage.Dir); n != 1 {
				t.Errorf("%d objects", n)
			}
			deletedObjectsGo(t, d, storage.Dir)
		})
	}
}

// deletedObjectsGo deletes the account that uploads, and waits until none of its objects is left in the storage.
func deletedObjectsGo(t *testing.T, d *peers.Dragoman, storage string) {
	t.Helper()
	if _, err := d.Run("", "account", "rm", "--yes", foreignSetup.Accounts[0].User+"@"+testHost); err != nil {
		t.Fatal(err)
	}
	for limit := time.Now().Add(peerTimeout); filesBelow(t, storage) > 0; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(limit) {
			t.Fatal("the objects of a deleted account are there still")
		}
	}
}

// failing is a reader that fails.
type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// TestUploadsToS3 has clients send files straight to the storage: at an address that is good for what was announced and nothing else.
func TestUploadsToS3(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 2*peerTimeout)
	defer cancel()
	storage := peers.StartS3(t)
	d := uploadServer(t, fmt.Sprintf("[upload]\ns3 = %q\ns3_public = %[1]q\ns3_bucket = %q\ns3_key = %q\ns3_secret = %q\ns3_redirect = true\n",
		storage.URL, storage.Bucket, storage.Key, storage.Secret))
	conn, err := d.Dial(ctx, foreignSetup.Accounts[0], "")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Drop()
	const size = 5_000_000
	direct := func() (to slot, get string) {
		t.Helper()
		for {
			answer, err := request(ctx, conn, "get", "upload."+testHost, fmt.Sprintf("<request xmlns='urn:xmpp:http:upload:0' filename='a.png' size='%d' content-type='image/png'/>", size))
			if err != nil {
				t.Fatal(err)
			}
			put := answer.Find("slot", "put")
			if put == nil {
				t.Fatalf("no slot: %s", answer)
			}
			if strings.HasPrefix(put.Attr("url"), storage.URL) {
				return slot{url: put.Attr("url")}, answer.Find("slot", "get").Attr("url")
			}
			time.Sleep(50 * time.Millisecond) // it tries the storage at the start
		}
	}
	s, get := direct()
	send := func(typ string, content io.Reader, size int64) int {
		t.Helper()
		r, err := http.NewRequestWithContext(ctx, http.MethodPut, s.url, content)
		if err != nil {
			t.Fatal(err)
		}
		r.ContentLength = size
		r.Header.Set("Content-Type", typ)
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			return -1 // some break the connection
		}
		_ = answer.Body.Close()
		return answer.StatusCode
	}
	for _, wrong := range []struct {
		typ  string
		size int64
	}{{"image/png", size + 1}, {"image/png", size - 1}, {"text/html", size}, {"image/png", -1}} {
		if status := send(wrong.typ, noise(max(wrong.size, size)), wrong.size); status/100 == 2 {
			t.Errorf("%+v was accepted", wrong)
		}
		if status, _, _ := download(ctx, t, get); status != http.StatusNotFound {
			t.Errorf("after %+v: %d", wrong, status)
		}
	}
	if status := send("image/png", noise(size), size); status != http.StatusOK {
		t.Fatalf("upload: %d", status)
	}
	want, err := io.ReadAll(noise(size))
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if status, got, from := download(ctx, t, get); status != 200 || !bytes.Equal(got, want) || !strings.HasSuffix(storage.URL, from) {
			t.Errorf("%d, %d bytes from %s", status, len(got), from)
		}
		d.Restart()
	}
	if n := filesBelow(t, storage.Dir); n != 1 {
		t.Errorf("%d objects", n)
	}
	// What came when its slot was gone.
	late := filepath.Join(storage.Dir, "0000000000000000late")
	if err := errors.Join(os.WriteFile(late, []byte("late"), 0o600), os.Chtimes(late, time.Time{}, time.Now().Add(-3*time.Hour))); err != nil {
		t.Fatal(err)
	}
	d.Restart()
	for n := -1; n != 1; n = filesBelow(t, storage.Dir) {
		if ctx.Err() != nil {
			t.Fatalf("%d objects", n)
		}
		time.Sleep(20 * time.Millisecond)
	}
	deletedObjectsGo(t, d, storage.Dir)
}
