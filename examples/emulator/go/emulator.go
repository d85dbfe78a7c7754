// Package emulator gives each test a separate organization, like httptest gives it a server.
//
// It needs openai-admin on the PATH, or its path in OPENAI_ADMIN_BIN, and nothing but the standard library.
package emulator

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// Emulator is a process that emulates any number of organizations.
type Emulator struct {
	address string
	process *exec.Cmd
}

// Start starts an emulator whose organizations all begin as the file fixtures says. Close ends it.
func Start(fixtures string) (*Emulator, error) {
	binary := os.Getenv("OPENAI_ADMIN_BIN")
	if binary == "" {
		binary = "openai-admin"
	}
	process := exec.Command(binary, "emulate", "--listen", "127.0.0.1:0", "--fixtures", fixtures)
	process.Stderr = os.Stderr
	stdout, err := process.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := process.Start(); err != nil {
		return nil, err
	}
	// It listens once it has written this line.
	line, err := bufio.NewReader(stdout).ReadBytes('\n')
	var started struct{ URL string }
	if err == nil {
		err = json.Unmarshal(line, &started)
	}
	if err != nil {
		_ = process.Process.Kill()
		_ = process.Wait()
		return nil, fmt.Errorf("the emulator did not start: %w", err)
	}
	return &Emulator{strings.TrimSuffix(started.URL, "/v1"), process}, nil
}

// Close ends the emulator and everything in it.
func (e *Emulator) Close() {
	_ = e.process.Process.Kill()
	_ = e.process.Wait()
}

// Organization is visible only to its test.
type Organization struct {
	// URL is the base URL for a client of the API. Any key is right.
	URL     string
	control string
	t       testing.TB
}

// NewOrganization makes one that begins as the fixtures say.
func (e *Emulator) NewOrganization(t testing.TB) *Organization {
	t.Helper()
	var name [16]byte
	if _, err := rand.Read(name[:]); err != nil {
		t.Fatal(err)
	}
	address := e.address + "/_ns/" + hex.EncodeToString(name[:])
	return &Organization{URL: address + "/v1", control: address + "/_emulator", t: t}
}

// Call sends a request of the API and decodes the answer into answer, unless that is nil. It returns the status.
func (o *Organization) Call(method, path string, body, answer any) int {
	o.t.Helper()
	return o.send(method, o.URL+path, body, answer)
}

// Control asks the emulator itself: faults, clock, snapshots, reset.
func (o *Organization) Control(method, path string, body any) {
	o.t.Helper()
	if status := o.send(method, o.control+path, body, nil); status >= 300 {
		o.t.Fatalf("%s %s: %d", method, path, status)
	}
}

// Verify fails the test unless an operation was called exactly this many times.
func (o *Organization) Verify(operation string, path map[string]string, exactly int) {
	o.t.Helper()
	o.Control("POST", "/verify", map[string]any{"operation": operation, "path": path, "exactly": exactly})
}

func (o *Organization) send(method, url string, body, answer any) int {
	o.t.Helper()
	var sent io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			o.t.Fatal(err)
		}
		sent = bytes.NewReader(text)
	}
	request, err := http.NewRequest(method, url, sent)
	if err != nil {
		o.t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer sk-admin-test")
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		o.t.Fatal(err)
	}
	defer response.Body.Close()
	if answer != nil {
		if err := json.NewDecoder(response.Body).Decode(answer); err != nil {
			o.t.Fatalf("%s %s: %d, %v", method, url, response.StatusCode, err)
		}
	}
	return response.StatusCode
}
