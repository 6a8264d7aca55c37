package acceptance

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"rtfm/traces/tracetest"
)

// kafkaBrokers are brokers of Kafka that are none, see cmd/acceptance/servers/kafka. Their
// topics stay when they are killed.
type kafkaBrokers struct {
	program, folder string
	brokers         []string
	options         []string
	kcat            []string // what it has to be told
	running         *process
}

// kafkaTopics are those that there are.
var kafkaTopics = []string{"rtfm.flows.1", "rtfm.collections.1"}

// newKafka starts three brokers.
func newKafka(t *testing.T, options ...string) *kafkaBrokers {
	t.Helper()
	tracetest.Require(t, "kcat")
	k := &kafkaBrokers{program: serverProgram(t, "kafka"), folder: t.TempDir(), options: options}
	for range 3 {
		k.brokers = append(k.brokers, tracetest.Address(t, "tcp"))
	}
	k.start(t)
	return k
}

// start starts them, and waits until they say that they are there.
func (k *kafkaBrokers) start(t *testing.T) {
	t.Helper()
	ports := strings.ReplaceAll(strings.Join(k.brokers, ","), "127.0.0.1:", "")
	args := slices.Concat([]string{"--ports", ports, "--data", k.folder}, k.options, kafkaTopics)
	k.running = runBeside(t, exec.Command(k.program, args...), func(out string) bool { return strings.HasPrefix(out, "ready\n") }, time.Minute)
}

// kill kills them as a power failure would.
func (k *kafkaBrokers) kill() {
	k.running.signal(syscall.SIGKILL)
	<-k.running.ended
}

func (k *kafkaBrokers) url() string { return "kafka://" + strings.Join(k.brokers, ",") }

// read returns what a topic holds, as kcat reads it: a record a line, by its format.
func (k *kafkaBrokers) read(t *testing.T, topic, format string) string {
	t.Helper()
	args := slices.Concat([]string{"-C", "-q", "-e", "-b", k.brokers[0], "-t", topic, "-f", format}, k.kcat)
	kcat := exec.CommandContext(t.Context(), tracetest.Require(t, "kcat"), args...)
	var errs bytes.Buffer
	kcat.Stderr = &errs
	out, err := kcat.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, &errs)
	}
	return string(out)
}

// rows returns what the topics hold.
func (k *kafkaBrokers) rows(t *testing.T) *rows {
	t.Helper()
	return readRows(t, k.read(t, kafkaTopics[0], `%s\n`)+k.read(t, kafkaTopics[1], `%s\n`))
}

// kafkaFile makes a flow data file of so many collections, of two rulesets.
func kafkaFile(t *testing.T, interval string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "a.json")
	succeed(t, "run", "-q", "-r", "@services", "-r", "@conversations", "-T", interval, "--json", "-F", file, sampleTrace)
	return file
}

// TestKafka sends collections to brokers that do not answer in time though they have what
// was sent, and that are no longer those to send to: the topics have what the file has,
// once, and each record says what it is of.
func TestKafka(t *testing.T) {
	if testing.Short() {
		t.Skip("races are not to be found in servers")
	}
	t.Parallel()
	k := newKafka(t, "--faults", "REQUEST_TIMED_OUT:7,NOT_LEADER_FOR_PARTITION:20,NOT_ENOUGH_REPLICAS:9")
	file := kafkaFile(t, "10")
	succeed(t, "flows", "convert", "--export-grace", "120", file, k.url()+"/?compression=lz4")
	r := k.rows(t)
	if n := r.twice(); n > 0 {
		t.Errorf("%d rows are there twice", n)
	}
	r.compare(t, file, 28)
	heads := strings.Split(strings.TrimSpace(k.read(t, kafkaTopics[0], `%k %h\n`)+k.read(t, kafkaTopics[1], `%k %h\n`)), "\n")
	slices.Sort(heads)
	want := []string{"sample.pcap Schema=1", "sample.pcap Schema=1,RuleSetName=@conversations", "sample.pcap Schema=1,RuleSetName=@services"}
	if got := slices.Compact(heads); !slices.Equal(got, want) {
		t.Errorf("keys and headers are %q", got)
	}
}

// TestKafkaKilled kills all brokers while collections are sent, and starts them again: the
// topics have what the file has.
func TestKafkaKilled(t *testing.T) {
	if testing.Short() {
		t.Skip("races are not to be found in servers")
	}
	t.Parallel()
	k := newKafka(t)
	file := kafkaFile(t, "1")
	sent := make(chan int, 1)
	var errs bytes.Buffer
	go func() {
		sent <- runMain([]string{"flows", "convert", "--export-grace", "120", file, k.url() + "/"}, nil, io.Discard, &errs)
	}()
	for end := time.Now().Add(time.Minute); strings.Count(k.read(t, kafkaTopics[1], `%s\n`), "\n") < 5; {
		if time.Now().After(end) {
			t.Fatal("nothing is sent")
		}
	}
	k.kill()
	k.start(t)
	if status := <-sent; status != 0 {
		t.Fatalf("exit status %d\n%s", status, &errs)
	}
	r := k.rows(t)
	t.Logf("%d rows are there twice; %s", r.twice(), &errs)
	r.compare(t, file, 272)
}

// TestKafkaTooLarge: batches become smaller until the topic takes them; a row that it does
// not take is told.
func TestKafkaTooLarge(t *testing.T) {
	if testing.Short() {
		t.Skip("races are not to be found in servers")
	}
	t.Parallel()
	file := kafkaFile(t, "60")
	k := newKafka(t, "--message-max-bytes", "9000")
	succeed(t, "flows", "convert", "--export-grace", "60", file, k.url()+"/?compression=none")
	k.rows(t).compare(t, file, 5)

	k = newKafka(t, "--message-max-bytes", "300")
	var errs bytes.Buffer
	status := runMain([]string{"flows", "convert", "--export-grace", "60", file, k.url() + "/"}, nil, io.Discard, &errs)
	if status != 5 || !strings.Contains(errs.String(), "stopped: a row of ") || !strings.Contains(errs.String(), "MESSAGE_TOO_LARGE") {
		t.Errorf("exit status %d\n%s", status, &errs)
	}
}

// TestKafkaLogin: who may not send is told so, and a wrong certificate; nobody else gets
// what is for a server of another name.
func TestKafkaLogin(t *testing.T) {
	if testing.Short() {
		t.Skip("races are not to be found in servers")
	}
	t.Parallel()
	dir := t.TempDir()
	cert, key, _ := writeCertificate(t, dir)
	both := filepath.Join(dir, "both.pem")
	var text []byte
	for _, name := range []string{cert, key} {
		part, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		text = append(text, part...)
	}
	putFile(t, both, string(text))
	right, wrong := filepath.Join(dir, "right"), filepath.Join(dir, "wrong")
	putFile(t, right, "xyzzy\n")
	putFile(t, wrong, "plugh\n")
	k := newKafka(t, "--cert", both, "--user", "SCRAM-SHA-512:rtfm:xyzzy")
	k.kcat = []string{"-X", "security.protocol=SSL", "-X", "ssl.ca.location=" + cert}
	file := kafkaFile(t, "100")
	elsewhere := strings.ReplaceAll(k.url(), "127.0.0.1", "localhost")
	for url, want := range map[string]string{
		k.url() + "/?ca=" + cert + "&user=rtfm&password-file=" + wrong: "a broker has closed the connection",
		k.url() + "/?ca=" + cert:                                                           "a broker has closed the connection",
		k.url() + "/?tls&user=rtfm&password-file=" + right:                                 "certificate signed by unknown authority",
		elsewhere + "/?ca=" + cert + "&user=rtfm&password-file=" + right:                   "wanted to match localhost",
		"kafka://rtfm@" + k.brokers[1] + "/nothere?ca=" + cert + "&password-file=" + right: "there is no topic nothere",
		"kafka://127.0.0.1:1/":                                                             "connection refused",
		"kafka://rtfm@" + k.brokers[1] + "/?ca=" + cert + "&password-file=" + right:        "",
	} {
		status, told := checkExports(t, `[{url: "`+url+`"}]`, true)
		if (status == 0) != (want == "") || !strings.Contains(told, want) || strings.Contains(told, "plugh") {
			t.Errorf("%s: exit status %d\n%s", url, status, told)
		}
	}
	succeed(t, "flows", "convert", "--export-grace", "30", file, "kafka://rtfm@"+k.brokers[1]+"/?ca="+cert+"&password-file="+right)
	// Those who may send, and those who may not, once brokers say so.
	user := k.options
	for _, c := range []struct {
		options []string
		want    string
	}{
		{append(user, "--strangers"), "stopped: SASL_AUTHENTICATION_FAILED"},
		{append(user, "--may-write", kafkaTopics[1]), "stopped: topic rtfm.flows.1: TOPIC_AUTHORIZATION_FAILED"},
	} {
		k.kill()
		k.options = c.options
		k.start(t)
		var errs bytes.Buffer
		status := runMain([]string{"flows", "convert", "--export-grace", "30", file, k.url() + "/?ca=" + cert + "&user=rtfm&password-file=" + right}, nil, io.Discard, &errs)
		if status != 5 || !strings.Contains(errs.String(), c.want) {
			t.Errorf("exit status %d, want %s\n%s", status, c.want, &errs)
		}
	}
	// What kcat has to log in it lacks in the brokers.
	k.kill()
	k.options = user[:2]
	k.start(t)
	k.rows(t).compare(t, file, 3)
}
