// The page's heartbeat. It says so when there is no answer, and goes on by itself where that is possible.
const SILENCE = 15000;
const BEAT = 2000;

const isPage = document.body.hasAttribute("data-voila");

// Whether the server answers, but has ended the page's kernel: as it does while a telephone sleeps.
const isKernelGone = async () => {
  const { baseUrl, kernelId } = JSON.parse(document.getElementById("jupyter-config-data")?.textContent || "{}");
  if (!isPage || !kernelId) return false;
  try {
    return (await fetch(`${baseUrl}api/kernels/${kernelId}`)).status === 404;
  } catch {
    return false;
  }
};

export default {
  render({ model, el }) {
    let heard = Date.now();
    // A kernel that is gone for good makes sending an error; that it does not answer tells the same.
    const say = (content) => { try { model.send(content); } catch {} };
    const words = document.createElement("span");
    const again = document.createElement("button");
    again.type = "button";
    again.textContent = "Reload";
    again.onclick = () => location.reload();
    el.setAttribute("role", "status");

    const tell = () => {
      const since = new Date(heard).toLocaleTimeString([], { hour12: false });
      words.textContent =
        `No answer since ${since}: the page may be out of date. It continues when the connection is back.` +
        (isPage ? "" : " If it does not, run the cell again.");
      if (!words.isConnected) el.append(words, ...(isPage ? [again] : []));
      isKernelGone().then((isGone) => isGone && location.reload());
    };
    const listen = (message) => {
      heard = Date.now();
      el.replaceChildren();
      if (message.frame) requestAnimationFrame(() => setTimeout(() => say({ drawn: true }), 0));
    };
    const beat = () => {
      if (Date.now() - heard > SILENCE) tell();
      say({ beat: true });
    };
    model.on("msg:custom", listen);
    const timer = setInterval(beat, BEAT);
    // A page that was loaded again has missed the frame that its predecessor owes an answer to.
    say({ drawn: true });
    beat();
    return () => { clearInterval(timer); model.off("msg:custom", listen); };
  },
};
