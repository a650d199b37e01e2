//go:build !unix

package socket

// open leaves fd nil: every write here may block, and whoever must not block needs a goroutine for it.
func (s *rawSocket) open() {}

func (s *rawSocket) push(p []byte) (int, error) { return s.Conn.Write(p) }
